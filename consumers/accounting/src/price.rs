//! Prices as JSON numbers with at most two decimals, read and written exactly: they never become a float.

use events::FieldError;
use serde_json::value::RawValue;

/// The largest price accepted, in USD: ten billion.
pub(crate) const MAX_PRICE: u64 = 10_000_000_000;
/// As hundredths.
const MAX_PRICE_MINOR: i64 = 100 * MAX_PRICE.cast_signed();
/// The longest text that can be such a price.
const MAX_CHARS: usize = 16;

/// Reads the text of a JSON number into hundredths.
///
/// # Errors
/// [`FieldError`] for what is no number, negative, finer than a hundredth, or too large.
pub(crate) fn parse(json: &str) -> Result<i64, FieldError> {
    let refuse = || FieldError::new("price", "must be a number from 0 with at most two decimals");
    if json.len() > MAX_CHARS {
        return Err(refuse());
    }
    let (units, hundredths) = match json.split_once('.') {
        None => (json, 0),
        Some((units, fraction)) => {
            let scale = match fraction.len() {
                1 => 10,
                2 => 1,
                _ => return Err(refuse()),
            };
            (units, digits(fraction).ok_or_else(refuse)? * scale)
        }
    };
    let minor = digits(units).ok_or_else(refuse)? * 100 + hundredths;
    if minor > MAX_PRICE_MINOR {
        return Err(FieldError::new("price", format!("must be at most {}", MAX_PRICE_MINOR / 100)));
    }
    Ok(minor)
}

fn digits(text: &str) -> Option<i64> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// Hundredths as a JSON number with two decimals.
pub(crate) fn to_json(minor: i64) -> Box<RawValue> {
    let text = format!("{}.{:02}", minor / 100, minor % 100);
    RawValue::from_string(text).expect("digits, a point and two digits are a JSON number")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_read_to_the_hundredth() {
        let cases = [
            ("75.50", 7_550),
            ("75.5", 7_550),
            ("0", 0),
            ("0.01", 1),
            ("12.99", 1_299),
            ("10000000000", MAX_PRICE_MINOR),
        ];
        for (text, minor) in cases {
            assert_eq!(parse(text), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let bad =
            ["-1", "1.999", "1e3", "\"1\"", "null", "true", "[]", "10000000000.01", "99999999999999999999", "1.", ""];
        for text in bad {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn prices_survive_the_round_trip(minor in 0..=MAX_PRICE_MINOR) {
            prop_assert_eq!(parse(to_json(minor).get()), Ok(minor));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
