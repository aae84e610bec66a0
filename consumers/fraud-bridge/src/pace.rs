//! How much the fraud engine is asked: nothing while it is known to be down, one question to see whether it is back, and then twice as many
//! with every round, so that the end of an outage is not the beginning of the next one. Pure; time and chance come in as data.

use runtime::guard::{Admission, Breaker, BreakerSettings, State, Verdict};

/// What is asked in one round at most.
pub const MOST: u32 = 512;
/// Calls of how long the breaker looks at, in milliseconds: short, so that the many good answers from before an outage do not hide it.
const WINDOW_MS: u64 = 10_000;
/// Calls below which it stays closed.
const MINIMUM_CALLS: u32 = 3;
/// How long it stays open before the first probe, in milliseconds.
const OPEN_MS: u64 = 2_000;
/// The longest it stays open, in milliseconds: an engine that is back is noticed within this time.
const LONGEST_OPEN_MS: u64 = 30_000;

/// The pace of one bridge, shared by everything it asks.
#[derive(Debug, Clone)]
pub struct Pace {
    breaker: Breaker,
    /// What may be asked in the next round.
    allowed: u32,
}

impl Pace {
    /// A careful start: whoever starts with a backlog may be starting into the end of an outage.
    #[must_use]
    pub fn new(timeout_ms: u64) -> Self {
        let breaker = Breaker::new(BreakerSettings {
            window_ms: WINDOW_MS,
            minimum_calls: MINIMUM_CALLS,
            failure_percent: 50,
            open_ms: OPEN_MS,
            longest_open_ms: LONGEST_OPEN_MS,
            probes: 1,
            probe_ms: timeout_ms.saturating_mul(2),
        });
        Self { breaker, allowed: 1 }
    }

    /// How many may be asked in a round that begins now.
    #[must_use]
    pub fn allowed(&self, now_ms: u64) -> u32 {
        match self.breaker.state() {
            _ if self.breaker.refuses(now_ms) => 0,
            State::Closed => self.allowed,
            State::HalfOpen | State::Open => 1,
        }
    }

    /// One is about to be asked.
    pub fn ask(&mut self, now_ms: u64) -> Admission {
        self.breaker.admit(now_ms)
    }

    /// What came of it.
    pub fn answered(&mut self, now_ms: u64, admission: Admission, is_well: bool, chance: f64) {
        let verdict = if is_well { Verdict::Good } else { Verdict::Bad };
        self.breaker.record(now_ms, admission, verdict, chance);
        if !is_well {
            self.allowed = 1;
        }
    }

    /// A round of so many questions ended, and all were answered.
    pub fn went_well(&mut self, asked: u32) {
        // Only a round that used what it was allowed shows that more would be borne.
        if asked >= self.allowed {
            self.allowed = self.allowed.saturating_mul(2).min(MOST);
        }
    }

    /// How the breaker stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.breaker.state()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks what is allowed, all with the same luck. Answers how many that were.
    fn round(pace: &mut Pace, now_ms: u64, is_well: bool) -> u32 {
        let allowed = pace.allowed(now_ms);
        for _ in 0..allowed {
            let admission = pace.ask(now_ms);
            pace.answered(now_ms, admission, is_well, 1.0);
            if !is_well {
                return 1;
            }
        }
        pace.went_well(allowed);
        allowed
    }

    #[test]
    fn each_round_that_goes_well_allows_twice_as_much_up_to_the_most() {
        let mut pace = Pace::new(2_000);
        let asked: Vec<u32> = (0..12).map(|number| round(&mut pace, number * 500, true)).collect();
        assert_eq!(asked, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]);
    }

    #[test]
    fn a_round_that_used_little_proves_nothing() {
        let mut pace = Pace::new(2_000);
        round(&mut pace, 0, true);
        pace.went_well(1);
        assert_eq!(pace.allowed(500), 2);
    }

    #[test]
    fn an_hour_s_outage_costs_a_question_now_and_then_and_ends_with_one() {
        let mut pace = Pace::new(2_000);
        (0..10).for_each(|number| {
            round(&mut pace, number * 500, true);
        });
        let outage = 5_000..3_605_000;
        let asked: u32 = outage.clone().step_by(500).map(|now_ms| round(&mut pace, now_ms, false)).sum();
        assert!((100..200).contains(&asked), "{asked} questions in an hour");
        let back: Vec<u32> = (0..70).map(|number| round(&mut pace, outage.end + number * 500, true)).collect();
        let first = back.iter().position(|asked| *asked > 0).unwrap();
        assert!(u64::try_from(first).unwrap() * 500 <= LONGEST_OPEN_MS);
        assert_eq!(back[first..first + 5], [1, 2, 4, 8, 16], "the probe, and then the ramp");
    }
}
