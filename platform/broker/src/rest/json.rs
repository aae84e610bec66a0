//! ProtoJSON: names in either spelling, durations as `"1.5s"`, numbers as numbers or strings, enums as names or
//! numbers.

use prost_types::Duration;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Refusal;

/// Reads a body. An empty one is an empty object.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let bad = |error: serde_json::Error| Refusal::invalid(format!("Invalid JSON payload received. {error}"));
    if body.trim_ascii().is_empty() {
        return serde_json::from_value(Value::Object(Map::new())).map_err(bad);
    }
    let value: Value = serde_json::from_slice(body).map_err(bad)?;
    serde_json::from_value(camel(value)).map_err(bad)
}

/// Turns `snake_case` names into `camelCase` and drops nulls, but leaves the users' own maps alone.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| {
                    let name = camel_name(&name);
                    let own = name == "labels" || name == "attributes" || name == "tags";
                    (name, if own { value } else { camel(value) })
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        other => other,
    }
}

fn camel_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    out
}

/// Refuses fields that are not read: by name as unimplemented if the API has them, else as unknown.
pub(super) fn refuse_rest(message: &str, rest: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    let empty = |value: &Value| match value {
        Value::Bool(set) => !set,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    match rest.iter().find(|(name, value)| !known.contains(&name.as_str()) || !empty(value)) {
        None => Ok(()),
        Some((name, _)) if known.contains(&name.as_str()) => Err(Refusal::unimplemented(&format!("{message}.{name}"))),
        Some((name, _)) => Err(Refusal::invalid(format!(
            "Invalid JSON payload received. Unknown name \"{name}\" at '{message}': Cannot find field."
        ))),
    }
}

/// Reads `"1.5s"`.
pub(super) fn duration(text: &str) -> Result<Duration, Refusal> {
    let bad = || Refusal::invalid(format!("{text:?} is not a duration such as \"600s\""));
    let number = text.strip_suffix('s').ok_or_else(bad)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let seconds: i64 = whole.parse().map_err(|_| bad())?;
    let nanos: i32 = format!("{fraction:0<9}").parse().map_err(|_| bad())?;
    Ok(Duration { seconds, nanos: if whole.starts_with('-') { -nanos } else { nanos } })
}

/// Writes `"1.500s"`, with as many threes of digits as it takes.
pub(super) fn write_duration(duration: &Duration) -> String {
    let Duration { seconds, nanos } = *duration;
    match nanos {
        0 => format!("{seconds}s"),
        n if n % 1_000_000 == 0 => format!("{seconds}.{:03}s", n / 1_000_000),
        n => format!("{seconds}.{n:09}s"),
    }
}

/// An int32 as a number or, as ProtoJSON allows, a string.
pub(super) fn int32<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i32),
        Text(String),
    }
    match <Either as serde::Deserialize>::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds, nanos) in [("600s", 600, 0), ("1.500s", 1, 500_000_000), ("0.000000001s", 0, 1)] {
            let read = duration(text).unwrap();
            assert_eq!((read.seconds, read.nanos), (seconds, nanos));
            assert_eq!(write_duration(&read), text);
        }
        for bad in ["", "s", "1", "1.s5", "1.1234567890s", "xs", "1.-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
