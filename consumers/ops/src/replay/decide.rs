//! The rules of a replay: how large the next step is, when too much has failed, how much may be published now. Pure.

use runtime::codes::Kind;
use runtime::replay::Fate;

use crate::limits::{MAX_IN_FLIGHT, MIN_MEASURED};
use crate::rows::items::Counts;

/// Messages of the step at place `ramp_at`; all that are left once the ramp is behind.
pub(crate) fn step_size(ramp: &[u32], ramp_at: u32) -> u32 {
    let at = usize::try_from(ramp_at).unwrap_or(usize::MAX);
    ramp.get(at).copied().unwrap_or(u32::MAX)
}

/// Whether so much of a step has failed that the rest must not be tried. Failures are measured against the step, and in a large step
/// against what has settled of it, so that it does not have to be tried to its end.
pub(crate) fn must_stop(step: Counts, stop_permille: u32) -> bool {
    let settled = step.handled + step.failed;
    let measured = settled.max(step.size().min(MIN_MEASURED));
    u64::from(step.failed) * 1_000 > u64::from(stop_permille) * u64::from(measured)
}

/// How many more may be out.
pub(crate) fn room(out: u32) -> u32 {
    MAX_IN_FLIGHT.saturating_sub(out)
}

/// What may be published, saved up as time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// When it was last looked at, in milliseconds since the epoch.
    at_ms: i64,
    /// Thousandths of a message.
    milli: u64,
}

impl Allowance {
    /// Enough for one message.
    pub(crate) fn new(now_ms: i64) -> Self {
        Self { at_ms: now_ms, milli: 1_000 }
    }

    /// Lets time pass at so many messages a second. At most a quarter of a second is saved up, so that a pause is not made up for.
    pub(crate) fn pass(&mut self, now_ms: i64, rate_per_s: u32) {
        let passed_ms = u64::try_from(now_ms - self.at_ms).unwrap_or(0);
        let most = (u64::from(rate_per_s) * 250).max(1_000);
        self.milli = self.milli.saturating_add(passed_ms.saturating_mul(u64::from(rate_per_s))).min(most);
        self.at_ms = now_ms;
    }

    /// Whole messages.
    pub(crate) fn messages(self) -> u32 {
        u32::try_from(self.milli / 1_000).unwrap_or(u32::MAX)
    }

    /// So many were published.
    pub(crate) fn spend(&mut self, messages: u32) {
        self.milli = self.milli.saturating_sub(u64::from(messages) * 1_000);
    }
}

/// What a fate means for a message that was published after `attempts_before` failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its effect is there.
    Handled,
    /// It died again.
    Failed { code: String, fingerprint: String, reason: String, number: u32 },
    /// Not settled; why it failed last, if it did.
    Open(Option<String>),
}

/// Reads a fate.
pub(crate) fn verdict(fate: Fate, attempts_before: i64) -> Verdict {
    match fate {
        Fate::Handled { .. } => Verdict::Handled,
        Fate::Failed { number, .. } if i64::from(number) <= attempts_before => Verdict::Open(None),
        Fate::Failed { kind: Kind::Permanent, code, fingerprint, reason, number, .. } => {
            Verdict::Failed { code, fingerprint, reason, number }
        }
        Fate::Failed { kind: Kind::Transient, code, .. } => Verdict::Open(Some(code)),
        Fate::Unknown => Verdict::Open(None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(waiting: u32, handled: u32, failed: u32) -> Counts {
        Counts { waiting, handled, failed, ..Counts::default() }
    }

    #[test]
    fn a_ramp_grows_and_then_takes_the_rest() {
        let ramp = [1, 5, 20];
        let sizes: Vec<u32> = (0..5).map(|at| step_size(&ramp, at)).collect();
        assert_eq!(sizes, [1, 5, 20, u32::MAX, u32::MAX]);
    }

    #[test]
    fn one_failure_stops_a_step_of_one_and_five_in_a_hundred_are_the_limit_of_a_large_one() {
        assert!(must_stop(step(0, 0, 1), 50));
        assert!(!must_stop(step(0, 1, 0), 50));
        assert!(must_stop(step(4, 0, 1), 50), "one of five is a fifth, whatever the others do");
        assert!(!must_stop(step(9_900, 95, 5), 50));
        assert!(must_stop(step(9_900, 94, 6), 50));
        assert!(!must_stop(step(9_990, 5, 5), 50), "ten of ten thousand are no measure yet");
        assert!(!must_stop(step(0, 0, 10), 1_000), "a share of 1 never stops");
        assert!(must_stop(step(1_000, 0, 1), 0), "a share of 0 stops at the first");
    }

    proptest! {
        #[test]
        fn no_more_is_published_than_the_rate_allows(rate in 1u32..10_000, gaps in prop::collection::vec(0i64..2_000, 1..200)) {
            let (mut now_ms, mut sent) = (0, 0u64);
            let mut allowance = Allowance::new(0);
            for gap in gaps {
                now_ms += gap;
                allowance.pass(now_ms, rate);
                let messages = allowance.messages();
                allowance.spend(messages);
                sent += u64::from(messages);
            }
            let most = 1 + u64::try_from(now_ms).unwrap() * u64::from(rate) / 1_000;
            prop_assert!(sent <= most, "{sent} of {most}");
        }
    }

    #[test]
    fn a_steady_look_reaches_the_rate() {
        let mut allowance = Allowance::new(0);
        let mut sent = 0;
        for now_ms in (0..=10_000).step_by(40) {
            allowance.pass(now_ms, 1_500);
            sent += allowance.messages();
            allowance.spend(allowance.messages());
        }
        assert_eq!(sent, 15_001);
    }

    #[test]
    fn a_failure_from_before_the_publish_is_no_answer() {
        let failed = |kind, number| Fate::Failed {
            kind,
            code: "c".to_owned(),
            reason: "r".to_owned(),
            fingerprint: "f".to_owned(),
            number,
            at_ms: 1,
        };
        assert_eq!(verdict(failed(Kind::Permanent, 3), 3), Verdict::Open(None));
        assert!(matches!(verdict(failed(Kind::Permanent, 4), 3), Verdict::Failed { .. }));
        assert_eq!(verdict(failed(Kind::Transient, 4), 3), Verdict::Open(Some("c".to_owned())));
        assert_eq!(verdict(Fate::Handled { at_ms: 1 }, 3), Verdict::Handled);
        assert_eq!(verdict(Fate::Unknown, 0), Verdict::Open(None));
    }
}
