//! Money as Online Boutique's protocol has it: a currency, whole units and nanos. Integers only, checked.
//!
//! From `hipstershop.Money` (GoogleCloudPlatform/microservices-demo, protos/demo.proto): `nanos` has the sign of `units`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::FieldError;

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const NANOS_PER_MINOR: i64 = 10_000_000;

/// The currency the shop trades in. Another one is refused at checkout.
pub const SHOP_CURRENCY: &str = "USD";

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// ISO 4217 code, three capital letters.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency_code: String,
    /// Whole units of the amount.
    pub units: i64,
    /// Billionths of a unit, -999,999,999..=999,999,999, of the same sign as `units`.
    #[schemars(range(min = -999_999_999, max = 999_999_999))]
    pub nanos: i32,
}

/// Why amounts could not be combined. Not tried again: the amounts themselves are at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two amounts of different currencies met. The sender has to convert first.
    #[error("cannot combine {0} with {1}")]
    Currency(String, String),
    /// The result does not fit. Amounts this large are refused.
    #[error("amount out of range")]
    Overflow,
}

impl Money {
    /// Nothing, in the shop's currency.
    #[must_use]
    pub fn zero() -> Self {
        Self::from_minor(0)
    }

    /// `minor` hundredths of a unit (cents) in the shop's currency.
    #[must_use]
    pub fn from_minor(minor: i64) -> Self {
        let nanos = i32::try_from(minor % 100 * NANOS_PER_MINOR).expect("hundredths below one unit fit in nanos");
        Self { currency_code: SHOP_CURRENCY.to_owned(), units: minor / 100, nanos }
    }

    /// The amount in hundredths of a unit, rounded half away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit in 64 bits.
    pub fn minor(&self) -> Result<i64, MoneyError> {
        let nanos = self.total_nanos();
        let per_minor = i128::from(NANOS_PER_MINOR);
        let half = if nanos < 0 { -per_minor / 2 } else { per_minor / 2 };
        i64::try_from((nanos + half) / per_minor).map_err(|_| MoneyError::Overflow)
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum does not fit.
    pub fn plus(&self, other: &Money) -> Result<Money, MoneyError> {
        self.combined(other, i128::checked_add)
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the difference does not fit.
    pub fn minus(&self, other: &Money) -> Result<Money, MoneyError> {
        self.combined(other, i128::checked_sub)
    }

    /// The amount `quantity` times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the product does not fit.
    pub fn times(&self, quantity: u32) -> Result<Money, MoneyError> {
        let nanos = self.total_nanos().checked_mul(i128::from(quantity)).ok_or(MoneyError::Overflow)?;
        Self::from_nanos(&self.currency_code, nanos)
    }

    /// `percent` hundredths of the amount, rounded down to a whole minor unit.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the product does not fit.
    pub fn percent(&self, percent: u32) -> Result<Money, MoneyError> {
        let minor = i128::from(self.minor()?) * i128::from(percent) / 100;
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Ok(Money { currency_code: self.currency_code.clone(), ..Money::from_minor(minor) })
    }

    /// True for amounts below nothing.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.total_nanos() < 0
    }

    /// Checks the form: a currency of three capitals, nanos in range and of one sign with units.
    ///
    /// # Errors
    /// [`FieldError`] naming the field at fault, below `path`.
    pub fn check(&self, path: &str) -> Result<(), FieldError> {
        let currency_ok = self.currency_code.len() == 3 && self.currency_code.bytes().all(|b| b.is_ascii_uppercase());
        if !currency_ok {
            return Err(FieldError::new(format!("{path}.currencyCode"), "must be three capital letters"));
        }
        let sign_ok = !((self.units > 0 && self.nanos < 0) || (self.units < 0 && self.nanos > 0));
        if self.nanos.unsigned_abs() > 999_999_999 || !sign_ok {
            return Err(FieldError::new(format!("{path}.nanos"), "must be below one unit and of the sign of units"));
        }
        Ok(())
    }

    fn combined(&self, other: &Money, op: fn(i128, i128) -> Option<i128>) -> Result<Money, MoneyError> {
        if self.currency_code != other.currency_code {
            return Err(MoneyError::Currency(self.currency_code.clone(), other.currency_code.clone()));
        }
        let nanos = op(self.total_nanos(), other.total_nanos()).ok_or(MoneyError::Overflow)?;
        Self::from_nanos(&self.currency_code, nanos)
    }

    fn total_nanos(&self) -> i128 {
        i128::from(self.units) * NANOS_PER_UNIT + i128::from(self.nanos)
    }

    fn from_nanos(currency: &str, nanos: i128) -> Result<Money, MoneyError> {
        let units = i64::try_from(nanos / NANOS_PER_UNIT).map_err(|_| MoneyError::Overflow)?;
        let nanos = i32::try_from(nanos % NANOS_PER_UNIT).map_err(|_| MoneyError::Overflow)?;
        Ok(Money { currency_code: currency.to_owned(), units, nanos })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let cents = self.nanos.unsigned_abs() / 10_000_000;
        write!(f, "{sign}{}.{cents:02} {}", self.units.unsigned_abs(), self.currency_code)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn minor_units_survive_the_round_trip(minor in -1_000_000_000_000i64..1_000_000_000_000) {
            let money = Money::from_minor(minor);
            prop_assert_eq!(money.minor(), Ok(minor));
            prop_assert!(money.check("m").is_ok());
        }

        #[test]
        fn sums_agree_with_integer_sums(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000) {
            let (x, y) = (Money::from_minor(a), Money::from_minor(b));
            prop_assert_eq!(x.plus(&y), Ok(Money::from_minor(a + b)));
            prop_assert_eq!(x.minus(&y), Ok(Money::from_minor(a - b)));
        }
    }

    #[test]
    fn amounts_that_do_not_fit_are_refused() {
        let most = Money { currency_code: "USD".into(), units: i64::MAX, nanos: 0 };
        assert_eq!(most.times(2), Err(MoneyError::Overflow));
        assert_eq!(most.plus(&most), Err(MoneyError::Overflow));
    }

    #[test]
    fn two_currencies_never_add_up() {
        let euro = Money { currency_code: "EUR".into(), units: 1, nanos: 0 };
        assert!(matches!(Money::zero().plus(&euro), Err(MoneyError::Currency(..))));
    }
}
