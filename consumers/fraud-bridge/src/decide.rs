//! The rules: what the engine's answer means, and when to ask again.

use events::id::derived;
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{Event, OrderId};

/// Shortest wait before the engine is asked again, in milliseconds.
pub const SHORTEST_WAIT_MS: i64 = 1_000;
/// Longest wait before the engine is asked again, in milliseconds.
pub const LONGEST_WAIT_MS: i64 = 5 * 60 * 1_000;
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
