//! One JSON value into one column, as the service converts with `use_table_schema`.
//!
//! A string fits STRING, BYTES (base64), JSON (which it must be), GEOGRAPHY, and where it says one NUMERIC, BIGNUMERIC, DATE, TIME,
//! DATETIME and TIMESTAMP; a number fits INTEGER, FLOAT and likewise NUMERIC to TIMESTAMP; a boolean fits BOOLEAN. Nothing else fits:
//! a string is no INTEGER and an object no JSON column, here and there.

use base64::Engine;
use base64::alphabet::{STANDARD as PLAIN, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::Value;

use super::column::{Column, Type};
use super::{decimal, moment};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&PLAIN, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// What a column that is no record holds of `value`, which is not null.
///
/// # Errors
/// Why it does not fit, without the value.
pub(super) fn from_json(column: &Column, value: Value) -> Result<Value, String> {
    let kind = &column.kind;
    let made = match (kind, value) {
        (Type::String, Value::String(text)) => {
            check_length(column, text.chars().count())?;
            Some(Value::String(text))
        }
        (Type::Bytes, Value::String(text)) => {
            let bytes = BASE64.decode(&text).or_else(|_| BASE64_URL.decode(&text));
            let bytes = bytes.map_err(|_| "a BYTES column takes base64".to_owned())?;
            check_length(column, bytes.len())?;
            Some(Value::String(STANDARD.encode(bytes)))
        }
        (Type::Integer, Value::Number(number)) => number.as_i64().map(Value::from),
        (Type::Float, Value::Number(number)) => {
            number.as_f64().filter(|f| f.is_finite()).map(|_| Value::Number(number))
        }
        (Type::Boolean, Value::Bool(truth)) => Some(Value::Bool(truth)),
        (Type::Numeric | Type::BigNumeric, value) => decimal::from_json(column, &value).map(Value::String),
        (Type::Timestamp, value) => moment::timestamp(&value).map(Value::String),
        (Type::Date, value) => moment::date(&value).map(Value::String),
        (Type::Time, value) => moment::time(&value).map(Value::String),
        (Type::DateTime, value) => moment::datetime(&value).map(Value::String),
        (Type::Json, Value::String(text)) => is_json(text.as_bytes()).then_some(Value::String(text)),
        (Type::Json, Value::Object(_) | Value::Array(_)) => {
            return Err("a JSON column takes a string that holds JSON, not an object or a list".to_owned());
        }
        (Type::Geography, Value::String(text)) => (!text.trim().is_empty()).then_some(Value::String(text)),
        (Type::Other(name), _) => return Err(format!("a column of type {name} is not implemented by this broker")),
        _ => None,
    };
    made.ok_or_else(|| format!("not a value for a column of type {}", kind.name()))
}

/// Whether bytes are one JSON text. Everything in it is read: half a surrogate pair or a number beyond a double is no JSON to BigQuery.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok()
}

/// Checks a STRING's characters or the bytes of BYTES against the column's limit.
pub(super) fn check_length(column: &Column, length: usize) -> Result<(), String> {
    match column.max_length {
        Some(most) if length as u64 > most => Err(format!("longer than the column's {most}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Mode;
    use super::*;
    use serde_json::json;

    fn column(kind: Type) -> Column {
        Column::new("c", kind, Mode::Nullable)
    }

    #[test]
    fn values_become_what_the_column_holds() {
        let cases = [
            (Type::String, json!("a"), json!("a")),
            (Type::Bytes, json!("_-8"), json!("/+8=")),
            (Type::Integer, json!(-9_223_372_036_854_775_808_i64), json!(-9_223_372_036_854_775_808_i64)),
            (Type::Float, json!(1.5), json!(1.5)),
            (Type::Float, json!(3), json!(3)),
            (Type::Boolean, json!(true), json!(true)),
            (Type::Numeric, json!("12.50"), json!("12.5")),
            (Type::Json, json!("{\"a\":1}"), json!("{\"a\":1}")),
            (Type::Geography, json!("POINT(1 2)"), json!("POINT(1 2)")),
            (Type::Date, json!("2026-1-2"), json!("2026-01-02")),
        ];
        for (kind, given, held) in cases {
            assert_eq!(from_json(&column(kind.clone()), given), Ok(held), "{kind:?}");
        }
    }

    #[test]
    fn what_the_service_does_not_convert_does_not_fit() {
        let cases = [
            (Type::String, json!(1)),
            (Type::Integer, json!("1")),
            (Type::Integer, json!(1.5)),
            (Type::Integer, json!(9_223_372_036_854_775_808_u64)),
            (Type::Float, json!("1.5")),
            (Type::Boolean, json!("true")),
            (Type::Bytes, json!("?")),
            (Type::Json, json!("")),
            (Type::Json, json!({"a": 1})),
            (Type::Geography, json!(" ")),
            (Type::Other("RANGE".to_owned()), json!("[1, 2)")),
        ];
        for (kind, given) in cases {
            assert!(from_json(&column(kind.clone()), given).is_err(), "{kind:?}");
        }
    }

    #[test]
    fn a_length_is_characters_of_a_string_and_bytes_of_bytes() {
        let limited = |kind| Column { max_length: Some(2), ..column(kind) };
        assert!(from_json(&limited(Type::String), json!("äö")).is_ok());
        assert!(from_json(&limited(Type::String), json!("äöü")).is_err());
        assert!(from_json(&limited(Type::Bytes), json!("AAA=")).is_ok());
        assert!(from_json(&limited(Type::Bytes), json!("AAAA")).is_err());
    }
}
