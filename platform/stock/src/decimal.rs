//! Prices that travel as plain JSON numbers, `12.99`: read from their text, so that no float comes near them.

use std::borrow::Cow;

use events::FieldError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::limits::MAX_PRICE_MINOR;

/// The longest number looked at, in bytes. Longer ones are out of range or written to annoy.
const MAX_NUMBER_BYTES: usize = 32;

/// An amount in cents that is a JSON number with two decimals on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub i64);

/// Cents of a JSON number: at most two decimals that count (`12.9900` is `12.99`), not negative, at most
/// [`MAX_PRICE_MINOR`]. An exponent is read, too: JSON writers may choose `1e2`.
///
/// # Errors
/// What is wrong, to be put behind a field's name.
pub fn parse_minor(text: &str) -> Result<i64, &'static str> {
    let out_of_range = "is out of range";
    if text.len() > MAX_NUMBER_BYTES {
        return Err(out_of_range);
    }
    if text.starts_with('-') {
        return Err("must not be negative");
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits.clone().all(|byte| byte.is_ascii_digit()) {
        return Err("must be a number");
    }
    let mut value = digits.fold(0_u128, |sum, byte| sum * 10 + u128::from(byte - b'0'));
    let exponent: i32 = exponent.parse().map_err(|_| "must be a number")?;
    // Below 33 digits and a shift this short, nothing overflows.
    let shift = i32::try_from(fraction.len()).ok().and_then(|decimals| exponent.checked_add(2)?.checked_sub(decimals));
    match shift {
        _ if value == 0 => return Ok(0),
        Some(up @ 0..=12) => value = value.saturating_mul(10_u128.pow(up.unsigned_abs())),
        Some(down @ -32..0) => {
            let unit = 10_u128.pow(down.unsigned_abs());
            if value % unit != 0 {
                return Err("must have at most two decimals");
            }
            value /= unit;
        }
        _ => return Err(out_of_range),
    }
    i64::try_from(value).ok().filter(|minor| *minor <= MAX_PRICE_MINOR).ok_or(out_of_range)
}

impl Decimal {
    /// The amount of a JSON number that is the field `path`.
    ///
    /// # Errors
    /// [`FieldError`] at `path`.
    pub fn of(number: &RawValue, path: &str) -> Result<Self, FieldError> {
        parse_minor(number.get()).map(Self).map_err(|problem| FieldError::new(path, problem))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Dollars with at most two decimals",
            "type": "number", "minimum": 0, "maximum": 9_999_999.99, "multipleOf": 0.01,
        })
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Box::<RawValue>::deserialize(deserializer)?;
        parse_minor(number.get()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_read_as_they_are_written() {
        for (text, minor) in [
            ("12.99", 1_299),
            ("12.9", 1_290),
            ("12", 1_200),
            ("0", 0),
            ("0.01", 1),
            ("12.9900", 1_299),
            ("1e2", 10_000),
            ("1.299E1", 1_299),
            ("1299e-2", 1_299),
            ("0e99", 0),
            ("9999999.99", 999_999_999),
        ] {
            assert_eq!(parse_minor(text), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "-1",
            "-0.01",
            "12.999",
            "1e-3",
            "1e99",
            "1e99999999999",
            "10000000.00",
            "\"12\"",
            "null",
            "[]",
            "{}",
            "",
            ".5",
            "+1",
            "1e",
            "99999999999999999999999999999999",
            "1e-2147483648",
            "1e2147483647",
            "0.00000000000000000000000000000000000001",
        ] {
            assert!(parse_minor(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_price_survives_the_wire(minor in 0..=MAX_PRICE_MINOR) {
            let text = serde_json::to_string(&Decimal(minor)).expect("a number");
            prop_assert_eq!(parse_minor(&text), Ok(minor));
            prop_assert_eq!(serde_json::from_str::<Decimal>(&text).expect("a decimal"), Decimal(minor));
        }

        #[test]
        fn any_text_is_answered(text in "[-+0-9.eE]{0,40}") {
            let _ = parse_minor(&text);
        }
    }
}
