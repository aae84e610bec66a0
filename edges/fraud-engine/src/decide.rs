//! The rules: points for what is odd about a transaction, and the level they make.

use events::risk::RiskLevel;

/// Points for a shipping country that is not the billing country.
pub const COUNTRY_POINTS: u32 = 60;
/// An amount from which a transaction is large, in hundredths.
pub const LARGE_MINOR: i64 = 50_000;
/// An amount from which a transaction is very large, in hundredths.
pub const VERY_LARGE_MINOR: i64 = 200_000;
/// Points for a large amount.
pub const LARGE_POINTS: u32 = 30;
/// Further points for a very large one: with a second oddity it is HIGH, alone it is not, for the catalogue sells a camera at 2,245.00.
pub const VERY_LARGE_POINTS: u32 = 15;
/// The window in which a customer's orders are counted, in milliseconds.
pub const VELOCITY_WINDOW_MS: i64 = 10 * 60 * 1_000;
/// Points for more orders in the window than allowed.
pub const VELOCITY_POINTS: u32 = 30;
/// Points from which the level is HIGH.
pub const HIGH_POINTS: u32 = 60;
/// Points from which the level is MEDIUM.
pub const MEDIUM_POINTS: u32 = 30;

/// What the rules look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// The order's amount in hundredths, if it was told.
    pub amount_minor: Option<i64>,
    /// Where it is sent, two letters, if it was told.
    pub shipping_country: Option<&'a str>,
    /// Where it is billed, two letters, if it was told.
    pub billing_country: Option<&'a str>,
    /// Orders of the customer in the window, this one included.
    pub recent_orders: u32,
    /// Orders allowed in the window.
    pub velocity_limit: u32,
}

/// A score and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// `LOW`, `MEDIUM` or `HIGH`.
    pub level: RiskLevel,
    /// The sum of the rules' points.
    pub points: u32,
    /// One sentence for each rule that gave points.
    pub reasons: Vec<&'static str>,
}

/// Scores a transaction.
#[must_use]
pub fn score(signals: &Signals<'_>) -> Score {
    let mut points = 0;
    let mut reasons = Vec::new();
    let mut add = |applies: bool, more: u32, reason: &'static str| {
        if applies {
            points += more;
            reasons.push(reason);
        }
    };
    let countries = signals.shipping_country.zip(signals.billing_country);
    let abroad = countries.is_some_and(|(shipping, billing)| !shipping.eq_ignore_ascii_case(billing));
    let amount = signals.amount_minor.unwrap_or(0);
    add(abroad, COUNTRY_POINTS, "the shipping country is not the billing country");
    add(amount >= LARGE_MINOR, LARGE_POINTS, "the amount is 500.00 or more");
    add(amount >= VERY_LARGE_MINOR, VERY_LARGE_POINTS, "the amount is 2000.00 or more");
    add(
        signals.recent_orders > signals.velocity_limit,
        VELOCITY_POINTS,
        "the customer placed unusually many orders within 10 minutes",
    );
    Score { level: level(points), points, reasons }
}

/// The level that points make.
#[must_use]
pub fn level(points: u32) -> RiskLevel {
    match points {
        HIGH_POINTS.. => RiskLevel::High,
        MEDIUM_POINTS.. => RiskLevel::Medium,
        _ => RiskLevel::Low,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_transaction_is_low_and_needs_no_reason() {
        let score = score(&Signals::default());
        assert_eq!(score, Score { level: RiskLevel::Low, points: 0, reasons: vec![] });
    }

    #[test]
    fn each_rule_begins_at_its_threshold() {
        let amount = |minor| score(&Signals { amount_minor: Some(minor), ..Signals::default() }).points;
        assert_eq!([49_999, 50_000, 199_999, 200_000].map(amount), [0, 30, 30, 45]);
        assert_eq!([0, 30, 45, 60].map(level), [RiskLevel::Low, RiskLevel::Medium, RiskLevel::Medium, RiskLevel::High]);
        let velocity =
            |recent_orders| score(&Signals { recent_orders, velocity_limit: 20, ..Signals::default() }).level;
        assert_eq!([20, 21].map(velocity), [RiskLevel::Low, RiskLevel::Medium]);
        let countries = |shipping, billing| {
            score(&Signals { shipping_country: shipping, billing_country: billing, ..Signals::default() }).level
        };
        assert_eq!(countries(Some("DE"), Some("US")), RiskLevel::High);
        assert_eq!(countries(Some("us"), Some("US")), RiskLevel::Low);
        assert_eq!(countries(Some("DE"), None), RiskLevel::Low);
    }

    proptest! {
        #[test]
        fn more_money_and_more_orders_never_lower_the_score(
            amount in 0i64..300_000, more in 0i64..300_000, orders in 0u32..50, further in 0u32..50, abroad: bool,
        ) {
            let signals = |amount, recent_orders| Signals {
                amount_minor: Some(amount),
                shipping_country: Some(if abroad { "DE" } else { "US" }),
                billing_country: Some("US"),
                recent_orders,
                velocity_limit: 20,
            };
            let (less, greater) = (score(&signals(amount, orders)), score(&signals(amount + more, orders + further)));
            prop_assert!(less.points <= greater.points);
            prop_assert!(less.level <= greater.level);
            prop_assert_eq!(less.points == 0, less.reasons.is_empty());
        }
    }
}
