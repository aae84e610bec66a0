//! NUMERIC and BIGNUMERIC.

use serde_json::Value;

use super::column::{Column, Type};

/// Digits before and after the point.
const NUMERIC: (usize, usize) = (29, 9);
const BIGNUMERIC: (usize, usize) = (39, 38);
/// The greatest whole part of a BIGNUMERIC.
const BIGNUMERIC_MAX: &str = "578960446186580977117854925043439539266";
/// Bytes of a text that is looked at: more than any value of these types needs.
const TEXT_BYTES: usize = 200;

/// A decimal text without needless zeros. A string must fit exactly; a number, which is a double, is rounded to the column's digits
/// after the point.
pub(super) fn from_json(column: &Column, value: &Value) -> Option<String> {
    let (mut whole, mut fraction) = if column.kind == Type::Numeric { NUMERIC } else { BIGNUMERIC };
    if let Some(precision) = column.precision {
        fraction = usize::try_from(column.scale.unwrap_or(0)).ok()?.min(fraction);
        whole = usize::try_from(precision).ok()?.checked_sub(fraction)?.min(whole);
    }
    let decimal = match value {
        Value::String(text) => Decimal::parse(text)?,
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Decimal::parse(&integer.to_string())?,
            (_, Some(integer)) => Decimal::parse(&integer.to_string())?,
            _ => {
                let float = number.as_f64().filter(|f| f.abs() < 1e40)?;
                Decimal::parse(&format!("{float:.fraction$}"))?
            }
        },
        _ => return None,
    };
    let small =
        column.kind == Type::Numeric || decimal.whole.len() < BIGNUMERIC_MAX.len() || *decimal.whole <= *BIGNUMERIC_MAX;
    (decimal.whole.len() <= whole && decimal.fraction.len() <= fraction && small).then(|| decimal.text())
}

/// Digits before the point without leading zeros, digits after it without trailing ones.
struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    /// Reads `-12.5`, `.5`, `5.`, `1.5e3`.
    fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        if text.len() > TEXT_BYTES {
            return None;
        }
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok().filter(|e| e.abs() <= 100)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // Where the point stands among the digits, which may be before the first or after the last.
        let point = i16::try_from(whole.len()).ok()? + exponent;
        let before = usize::try_from(-point).unwrap_or(0);
        let padded = format!("{}{digits}", "0".repeat(before));
        let at = usize::try_from(point).unwrap_or(0);
        let padded = format!("{padded:0<at$}");
        let (whole, fraction) = padded.split_at(at);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Decimal { negative: negative && !zero, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{}", self.fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Mode;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn held(kind: Type, value: &Value) -> Option<String> {
        from_json(&Column::new("c", kind, Mode::Nullable), value)
    }

    #[test]
    fn decimals_lose_needless_zeros_and_nothing_else() {
        let cases = [
            ("0", "0"),
            ("-0.0", "0"),
            ("007.50", "7.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1.5e3", "-1500"),
            ("1.5E-3", "0.0015"),
            ("99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999"),
        ];
        for (given, wanted) in cases {
            assert_eq!(held(Type::Numeric, &json!(given)).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_is_no_decimal_or_out_of_range_does_not_fit() {
        for bad in ["", "-", ".", "1,5", "0x1", "NaN", "1e", "1e1000", "0.0000000001", "100000000000000000000000000000"]
        {
            assert_eq!(held(Type::Numeric, &json!(bad)), None, "{bad}");
        }
        assert!(held(Type::BigNumeric, &json!(BIGNUMERIC_MAX)).is_some());
        assert_eq!(held(Type::BigNumeric, &json!("578960446186580977117854925043439539267")), None);
        assert_eq!(held(Type::Numeric, &json!(true)), None);
        assert_eq!(held(Type::Numeric, &json!(1e300)), None);
    }

    #[test]
    fn a_double_is_rounded_to_the_columns_scale() {
        assert_eq!(held(Type::Numeric, &json!(0.1 + 0.2)).as_deref(), Some("0.3"));
        let column = Column { precision: Some(5), scale: Some(2), ..Column::new("c", Type::Numeric, Mode::Nullable) };
        assert_eq!(from_json(&column, &json!(123.456)).as_deref(), Some("123.46"));
        assert_eq!(from_json(&column, &json!("123.456")), None);
        assert_eq!(from_json(&column, &json!(1234)), None);
    }

    proptest! {
        #[test]
        fn every_integer_is_kept_digit_by_digit(number in any::<i64>()) {
            prop_assert_eq!(held(Type::Numeric, &json!(number)), Some(number.to_string()));
            prop_assert_eq!(held(Type::BigNumeric, &json!(number.to_string())), Some(number.to_string()));
        }

        #[test]
        fn no_text_makes_it_fail_and_what_it_makes_it_takes(text in "\\PC{0,60}|[-+]?[0-9]{0,45}\\.?[0-9]{0,45}(e-?[0-9]{1,3})?") {
            for kind in [Type::Numeric, Type::BigNumeric] {
                if let Some(made) = held(kind.clone(), &json!(text)) {
                    prop_assert_eq!(held(kind, &json!(made)), Some(made));
                }
            }
        }
    }
}
