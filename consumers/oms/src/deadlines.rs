//! How long an order may wait for each thing, and what becomes of one that nobody reviewed in time.

use std::str::FromStr;

use runtime::config::{ConfigError, Environment};

const MINUTE_MS: i64 = 60 * 1_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The longest deadline: 90 days in milliseconds.
const MAX_DEADLINE_MS: i64 = 90 * DAY_MS;

/// What a deadline decides about an order on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreviewed {
    /// It is cancelled, as a reviewer would refuse it.
    Cancel,
    /// It goes on.
    Release,
}

impl FromStr for Unreviewed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "cancel" => Ok(Unreviewed::Cancel),
            "release" => Ok(Unreviewed::Release),
            _ => Err("expected cancel or release"),
        }
    }
}

/// The deadlines, each in milliseconds, 1..=7,776,000,000 (90 days). An order that waits longer is stuck; one on hold is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For the confirmation of an order of which other facts are known. From BOUTIQUE_DEADLINE_ORDER_MS, 5 minutes unless told.
    pub order_ms: i64,
    /// For a ledger's word about the stock, after the confirmation. From BOUTIQUE_DEADLINE_STOCK_MS, 5 minutes unless told.
    pub stock_ms: i64,
    /// For the invoice, after the confirmation. From BOUTIQUE_DEADLINE_INVOICE_MS, 5 minutes unless told.
    pub invoice_ms: i64,
    /// For the fraud engine's word, after the confirmation: the bridge asks for hours. From BOUTIQUE_DEADLINE_RISK_MS, 6 hours unless told.
    pub risk_ms: i64,
    /// For a reviewer's word, after the order was put on hold. From BOUTIQUE_DEADLINE_REVIEW_MS, 24 hours unless told.
    pub review_ms: i64,
    /// For each dispatch, after the warehouse was asked to ship. From BOUTIQUE_DEADLINE_DISPATCH_MS, 2 days unless told.
    pub dispatch_ms: i64,
    /// For each delivery, after its dispatch. From BOUTIQUE_DEADLINE_DELIVERY_MS, 14 days unless told.
    pub delivery_ms: i64,
    /// What the review's deadline decides. From BOUTIQUE_UNREVIEWED, `cancel` or `release`; `cancel` unless told.
    pub unreviewed: Unreviewed,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            order_ms: 5 * MINUTE_MS,
            stock_ms: 5 * MINUTE_MS,
            invoice_ms: 5 * MINUTE_MS,
            risk_ms: 6 * HOUR_MS,
            review_ms: DAY_MS,
            dispatch_ms: 2 * DAY_MS,
            delivery_ms: 14 * DAY_MS,
            unreviewed: Unreviewed::Cancel,
        }
    }
}

impl Deadlines {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        let deadline = |name: &str, default_ms: i64| environment.within(name, default_ms, 1..=MAX_DEADLINE_MS);
        Ok(Self {
            order_ms: deadline("BOUTIQUE_DEADLINE_ORDER_MS", default.order_ms)?,
            stock_ms: deadline("BOUTIQUE_DEADLINE_STOCK_MS", default.stock_ms)?,
            invoice_ms: deadline("BOUTIQUE_DEADLINE_INVOICE_MS", default.invoice_ms)?,
            risk_ms: deadline("BOUTIQUE_DEADLINE_RISK_MS", default.risk_ms)?,
            review_ms: deadline("BOUTIQUE_DEADLINE_REVIEW_MS", default.review_ms)?,
            dispatch_ms: deadline("BOUTIQUE_DEADLINE_DISPATCH_MS", default.dispatch_ms)?,
            delivery_ms: deadline("BOUTIQUE_DEADLINE_DELIVERY_MS", default.delivery_ms)?,
            unreviewed: environment.or("BOUTIQUE_UNREVIEWED", default.unreviewed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Deadlines, ConfigError> {
        Deadlines::from_environment(&Environment::of([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_deadline_out_of_range_is_named() {
        for (name, value) in [
            ("BOUTIQUE_DEADLINE_STOCK_MS", "0"),
            ("BOUTIQUE_DEADLINE_DELIVERY_MS", "7776000001"),
            ("BOUTIQUE_DEADLINE_RISK_MS", "soon"),
            ("BOUTIQUE_UNREVIEWED", "forget"),
        ] {
            assert_eq!(read(name, value).map_err(|error| error.name), Err(name.to_owned()), "{value}");
        }
        assert_eq!(read("BOUTIQUE_DEADLINE_STOCK_MS", "1").map(|deadlines| deadlines.stock_ms), Ok(1));
        let released = read("BOUTIQUE_UNREVIEWED", "release").map(|deadlines| deadlines.unreviewed);
        assert_eq!(released, Ok(Unreviewed::Release));
    }
}
