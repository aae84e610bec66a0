//! The rules: what the engine's answer means, and when to ask again.

use events::id::derived;
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::topology::limits::OUTBOX_DAYS;
use events::{Event, OrderId};

/// Shortest wait before the engine is asked again, in milliseconds.
pub const SHORTEST_WAIT_MS: i64 = 1_000;
/// Longest wait before the engine is asked again, in milliseconds.
pub const LONGEST_WAIT_MS: i64 = 5 * 60 * 1_000;
/// How old an order may be for the engine to be told when it was placed, in milliseconds: an hour less than the engine takes, for clocks
/// and for the way.
const MAX_TOLD_AGE_MS: i64 = (OUTBOX_DAYS as i64 * 24 - 1) * 60 * 60 * 1_000;
/// Reasons passed on with a flag, at most.
const MAX_REASONS: usize = 10;
/// The longest reason passed on, in characters.
const MAX_REASON_CHARS: usize = 200;

/// What a scoring ends as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The order may go on.
    Cleared,
    /// The order needs a person's word.
    Flagged,
}

impl Verdict {
    /// The status of the scoring.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Cleared => "cleared",
            Verdict::Flagged => "flagged",
        }
    }
}

/// What an answer means for the order. `None` for an answer that is no answer.
#[must_use]
pub fn verdict(order_id: &OrderId, level: RiskLevel, reasons: Vec<String>) -> Option<(Verdict, Event)> {
    let order_id = order_id.clone();
    match level {
        RiskLevel::Low | RiskLevel::Medium => Some((Verdict::Cleared, FraudCleared { order_id, level }.into())),
        RiskLevel::High => {
            let clip = |reason: String| reason.chars().take(MAX_REASON_CHARS).collect();
            let reasons = reasons.into_iter().take(MAX_REASONS).map(clip).collect();
            Some((Verdict::Flagged, FraudFlagged { order_id, level, reasons }.into()))
        }
        RiskLevel::Unknown => None,
    }
}

/// When the engine is told an order was placed, in milliseconds since the Unix epoch; never in the future, whatever checkout's clock says.
/// `None` for one so old that the engine would refuse it: better judged as of now than never.
#[must_use]
pub fn told_placed_at_ms(placed_at_ms: i64, now_ms: i64) -> Option<i64> {
    let placed_at_ms = placed_at_ms.min(now_ms);
    (now_ms - placed_at_ms <= MAX_TOLD_AGE_MS).then_some(placed_at_ms)
}

/// How long to wait after the `attempts`-th question about an order went unanswered, in milliseconds: doubled each time, and
/// spread over half of that so that orders of one outage do not come back at once. The same order and count give the same wait.
#[must_use]
pub fn wait_ms(order_id: &OrderId, attempts: u32) -> i64 {
    let doubled = 2_i64.saturating_pow(attempts.min(32)).saturating_mul(SHORTEST_WAIT_MS);
    let longest = doubled.clamp(2 * SHORTEST_WAIT_MS, LONGEST_WAIT_MS);
    let draw = derived("scoring-wait", &format!("{order_id}/{attempts}")).as_u128();
    let half = longest / 2;
    half + i64::try_from(draw % (half.unsigned_abs() as u128 + 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(n: u32) -> OrderId {
        format!("o-{n}").parse().unwrap()
    }

    #[test]
    fn low_and_medium_clear_high_flags_and_unknown_is_no_answer() {
        let verdict = |level| verdict(&order(1), level, vec![]).map(|(verdict, _)| verdict);
        assert_eq!(verdict(RiskLevel::Low), Some(Verdict::Cleared));
        assert_eq!(verdict(RiskLevel::Medium), Some(Verdict::Cleared));
        assert_eq!(verdict(RiskLevel::High), Some(Verdict::Flagged));
        assert_eq!(verdict(RiskLevel::Unknown), None);
    }

    #[test]
    fn the_engine_is_told_when_an_order_was_placed_as_far_as_it_takes_it() {
        let (day_ms, now_ms) = (86_400_000, 4_000_000_000_000);
        let told = |age_ms: i64| told_placed_at_ms(now_ms - age_ms, now_ms).map(|at_ms| now_ms - at_ms);
        assert_eq!([0, 3 * day_ms, 34 * day_ms].map(told), [Some(0), Some(3 * day_ms), Some(34 * day_ms)]);
        assert_eq!([35 * day_ms, 400 * day_ms].map(told), [None; 2]);
        assert_eq!(told(-1_000), Some(0), "a clock ahead of ours");
    }

    #[test]
    fn orders_of_one_outage_are_spread() {
        let waits: std::collections::BTreeSet<i64> = (0..100).map(|n| wait_ms(&order(n), 8)).collect();
        assert!(waits.len() > 90, "{} different waits", waits.len());
    }

    proptest! {
        #[test]
        fn waits_stay_in_bounds_and_are_the_same_every_time(n: u32, attempts: u32) {
            let wait = wait_ms(&order(n), attempts);
            prop_assert!((SHORTEST_WAIT_MS..=LONGEST_WAIT_MS).contains(&wait));
            prop_assert_eq!(wait, wait_ms(&order(n), attempts));
        }
    }
}
