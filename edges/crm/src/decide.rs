//! The rules: loyalty tiers, and what an order counts towards them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// A loyalty tier, from least to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Where everybody begins.
    Standard,
    /// Spent enough for a small discount.
    Silver,
    /// Spent enough for a larger one.
    Gold,
}

impl Tier {
    /// The wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::Silver => "silver",
            Tier::Gold => "gold",
        }
    }

    /// The tier of a wire name; the least for a text that is none.
    #[must_use]
    pub fn of(text: &str) -> Self {
        [Tier::Gold, Tier::Silver].into_iter().find(|tier| tier.as_str() == text).unwrap_or(Tier::Standard)
    }
}

/// The better of the granted tier and the one earned by spending.
#[must_use]
pub fn tier(granted: Tier, spent_minor: i64, config: &Config) -> Tier {
    let earned = match spent_minor {
        spent if spent >= config.gold_from_minor => Tier::Gold,
        spent if spent >= config.silver_from_minor => Tier::Silver,
        _ => Tier::Standard,
    };
    granted.max(earned)
}

/// What is known about one order's money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// What was paid, in hundredths, once the order is completed.
    pub completed_minor: Option<i64>,
    /// What was given back, in hundredths.
    pub refunded_minor: i64,
}

/// What a fact about an order changes for its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The order's new standing.
    pub counted: Counted,
    /// Completed orders more.
    pub completed_orders: i64,
    /// Hundredths spent more, or less.
    pub spent_minor: i64,
}

/// The order was completed. A second completion changes nothing.
#[must_use]
pub fn complete(before: Counted, total_minor: i64) -> Change {
    if before.completed_minor.is_some() {
        return Change { counted: before, completed_orders: 0, spent_minor: 0 };
    }
    let counted = Counted { completed_minor: Some(total_minor.max(0)), ..before };
    Change { counted, completed_orders: 1, spent_minor: spent(counted) - spent(before) }
}

/// Something was given back.
#[must_use]
pub fn refund(before: Counted, amount_minor: i64) -> Change {
    let refunded_minor = before.refunded_minor.saturating_add(amount_minor.max(0));
    let counted = Counted { refunded_minor, ..before };
    Change { counted, completed_orders: 0, spent_minor: spent(counted) - spent(before) }
}

/// What an order counts: nothing until it is completed, then what was paid and not given back.
fn spent(counted: Counted) -> i64 {
    counted.completed_minor.map_or(0, |paid| (paid - counted.refunded_minor).max(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tiers_begin_at_their_thresholds_and_a_granted_tier_is_kept() {
        let config = Config::new(crate::MasterKey::parse(&crate::MasterKey::generate()).unwrap());
        assert_eq!(tier(Tier::Standard, 99_999, &config), Tier::Standard);
        assert_eq!(tier(Tier::Standard, 100_000, &config), Tier::Silver);
        assert_eq!(tier(Tier::Standard, 499_999, &config), Tier::Silver);
        assert_eq!(tier(Tier::Standard, 500_000, &config), Tier::Gold);
        assert_eq!(tier(Tier::Gold, 0, &config), Tier::Gold);
        assert_eq!(tier(Tier::Silver, 500_000, &config), Tier::Gold);
    }

    proptest! {
        #[test]
        fn the_order_of_facts_does_not_matter_and_nobody_spends_less_than_nothing(
            total in 0i64..1_000_000, refunds in prop::collection::vec(0i64..500_000, 0..4), at in 0usize..5,
        ) {
            let mut counted = Counted::default();
            let (mut sum, mut completed) = (0, 0);
            let at = at.min(refunds.len());
            for (position, amount) in refunds.iter().map(Some).chain([None]).enumerate() {
                if position == at {
                    for change in [complete(counted, total), complete(complete(counted, total).counted, total)] {
                        counted = change.counted;
                        sum += change.spent_minor;
                        completed += change.completed_orders;
                    }
                }
                if let Some(amount) = amount {
                    let change = refund(counted, *amount);
                    counted = change.counted;
                    sum += change.spent_minor;
                }
                prop_assert!(sum >= 0);
            }
            let given_back: i64 = refunds.iter().sum();
            prop_assert_eq!(sum, (total - given_back).max(0));
            prop_assert_eq!(completed, 1);
        }
    }
}
