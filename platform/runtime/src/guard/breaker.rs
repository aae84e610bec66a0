//! When an edge is left alone: a circuit breaker, pure. Time and chance come in as data.
//!
//! ```text
//! closed ──(failed share of a window's calls)──▶ open ──(its time is over)──▶ half-open ──(enough probes answered)──▶ closed
//!                                                 ▲                              │
//!                                                 └────────(a probe failed)──────┘
//! ```

/// Parts of the window: what is older than the window is forgotten a part at a time.
const PARTS: u64 = 10;
/// Probes that failed one after the other and still make the next wait longer; more would overflow, and the longest wait is reached before.
const MOST_DOUBLINGS: u32 = 16;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Calls of how long count, in milliseconds. At least 10.
    pub window_ms: u64,
    /// With fewer calls in the window it stays closed: two failures of three say little.
    pub minimum_calls: u32,
    /// It opens when so many of a hundred calls in the window failed. 1..=100.
    pub failure_percent: u32,
    /// How long it stays open before the first probe, in milliseconds; doubled with each probe that fails.
    pub open_ms: u64,
    /// The longest it stays open, in milliseconds.
    pub longest_open_ms: u64,
    /// Probes that must be answered one after the other before it closes. At least 1.
    pub probes: u32,
    /// A probe nobody answered for is given up after so long, in milliseconds, and another goes.
    pub probe_ms: u64,
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    Closed,
    /// One call at a time goes through, to see whether the edge is back.
    HalfOpen,
    /// No call goes through.
    Open,
}

impl State {
    /// Every state.
    pub const ALL: [State; 3] = [State::Closed, State::HalfOpen, State::Open];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::HalfOpen => "half_open",
            State::Open => "open",
        }
    }

    /// As a number on a graph: 0, 1, 2.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            State::Closed => 0.0,
            State::HalfOpen => 1.0,
            State::Open => 2.0,
        }
    }
}

/// What a breaker says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go.
    Pass,
    /// Go: what comes of it decides for all others.
    Probe,
    /// Do not call.
    Refused,
}

/// What came of a call that went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The edge is well.
    Good,
    /// It failed, or took too long.
    Bad,
    /// The caller went away: it says nothing about the edge.
    Abandoned,
}

/// The breaker of one edge.
#[derive(Debug, Clone)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    window: [Part; PARTS as usize],
    /// Probes that failed since it last was closed.
    failed_probes: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until_ms: u64 },
    HalfOpen { answered: u32, probing_until_ms: Option<u64> },
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Which part of time since the epoch it counts.
    number: u64,
    calls: u32,
    failures: u32,
}

impl Breaker {
    /// A closed breaker that has seen nothing.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, phase: Phase::Closed, window: Default::default(), failed_probes: 0 }
    }

    /// How it stands. One that has been open for its time is open until somebody calls.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Whether [`Breaker::admit`] would refuse; nothing changes.
    #[must_use]
    pub fn refuses(&self, now_ms: u64) -> bool {
        match self.phase {
            Phase::Closed => false,
            Phase::Open { until_ms } => now_ms < until_ms,
            Phase::HalfOpen { probing_until_ms, .. } => probing_until_ms.is_some_and(|until_ms| now_ms < until_ms),
        }
    }

    /// Somebody wants to call. Whoever may has to [`record`](Breaker::record) what came of it.
    pub fn admit(&mut self, now_ms: u64) -> Admission {
        if self.refuses(now_ms) {
            return Admission::Refused;
        }
        let answered = match self.phase {
            Phase::Closed => return Admission::Pass,
            Phase::Open { .. } => 0,
            Phase::HalfOpen { answered, .. } => answered,
        };
        self.phase = Phase::HalfOpen { answered, probing_until_ms: Some(now_ms + self.settings.probe_ms) };
        Admission::Probe
    }

    /// What came of an admitted call. `chance` (0 to 1) spreads the time it stays open, so that callers on many machines do not come back
    /// at once.
    pub fn record(&mut self, now_ms: u64, admission: Admission, verdict: Verdict, chance: f64) {
        match (self.phase, admission, verdict) {
            (Phase::Closed, Admission::Pass, Verdict::Good | Verdict::Bad) => {
                self.count(now_ms, verdict == Verdict::Bad);
                if verdict == Verdict::Bad && self.has_failed_enough(now_ms) {
                    self.open(now_ms, chance);
                }
            }
            (Phase::HalfOpen { answered, .. }, Admission::Probe, Verdict::Good) => {
                let answered = answered + 1;
                if answered < self.settings.probes {
                    self.phase = Phase::HalfOpen { answered, probing_until_ms: None };
                } else {
                    *self = Self::new(self.settings);
                }
            }
            (Phase::HalfOpen { .. }, Admission::Probe, Verdict::Bad) => {
                self.failed_probes += 1;
                self.open(now_ms, chance);
            }
            (Phase::HalfOpen { answered, .. }, Admission::Probe, Verdict::Abandoned) => {
                self.phase = Phase::HalfOpen { answered, probing_until_ms: None };
            }
            // An answer to what was asked before it opened tells of a time that is over.
            _ => {}
        }
    }

    fn open(&mut self, now_ms: u64, chance: f64) {
        let doublings = self.failed_probes.min(MOST_DOUBLINGS);
        let longest = self.settings.open_ms.saturating_mul(1 << doublings).min(self.settings.longest_open_ms);
        // Half to whole.
        let open_ms = longest / 2 + share(longest - longest / 2, chance);
        self.phase = Phase::Open { until_ms: now_ms + open_ms.max(1) };
    }

    fn count(&mut self, now_ms: u64, failed: bool) {
        let number = self.part_of(now_ms);
        let part = &mut self.window[usize::try_from(number % PARTS).unwrap_or(0)];
        if part.number != number {
            *part = Part { number, ..Part::default() };
        }
        part.calls += 1;
        part.failures += u32::from(failed);
    }

    fn has_failed_enough(&self, now_ms: u64) -> bool {
        let number = self.part_of(now_ms);
        let recent = self.window.iter().filter(|part| part.number + PARTS > number);
        let (calls, failures) = recent.fold((0_u64, 0_u64), |(calls, failures), part| {
            (calls + u64::from(part.calls), failures + u64::from(part.failures))
        });
        calls >= u64::from(self.settings.minimum_calls)
            && failures * 100 >= calls * u64::from(self.settings.failure_percent)
    }

    fn part_of(&self, now_ms: u64) -> u64 {
        now_ms / (self.settings.window_ms / PARTS).max(1)
    }
}

/// `chance` (0 to 1) of `whole`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of minutes, not of ages, and never below 0"
)]
fn share(whole: u64, chance: f64) -> u64 {
    (whole as f64 * chance.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
