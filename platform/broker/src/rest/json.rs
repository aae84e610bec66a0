//! ProtoJSON: from a body to a message, from a message to an answer.

use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

use crate::error::Refusal;
use crate::limits::JSON_VALUES;

/// The field of update requests that says what to update.
const MASK: &str = "update_mask";

/// Reads a body. An empty one is an empty object.
pub(super) fn read(kind: MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(DynamicMessage::new(kind));
    }
    if values(body) > JSON_VALUES {
        return Err(Refusal::invalid(format!("Invalid JSON payload received. It has more than {JSON_VALUES} values")));
    }
    let bad = |error: serde_json::Error| Refusal::invalid(format!("Invalid JSON payload received. {error}"));
    if kind.get_field_by_name(MASK).is_some() {
        let value = serde_json::from_slice(body).map_err(bad)?;
        return from_value(kind, value)
            .map_err(|why| Refusal::invalid(format!("Invalid JSON payload received. {why}")));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = DynamicMessage::deserialize_with_options(kind, &mut json, &options()).map_err(bad)?;
    json.end().map_err(bad)?;
    Ok(message)
}

/// Reads a value. The paths of its mask may be written in either spelling, as the service has it.
pub(super) fn from_value(kind: MessageDescriptor, mut value: serde_json::Value) -> Result<DynamicMessage, String> {
    for name in [MASK, "updateMask"] {
        if let Some(serde_json::Value::String(paths)) = value.get_mut(name) {
            *paths = camel(paths);
        }
    }
    DynamicMessage::deserialize_with_options(kind, value, &options()).map_err(|error| error.to_string())
}

/// Writes an answer.
pub(super) fn write(message: &DynamicMessage, enums_as_numbers: bool) -> Result<Vec<u8>, serde_json::Error> {
    let options = SerializeOptions::new().use_enum_numbers(enums_as_numbers);
    let mut json = serde_json::Serializer::new(Vec::new());
    message.serialize_with_options(&mut json, &options)?;
    Ok(json.into_inner())
}

/// `ack_deadline_seconds` as `ackDeadlineSeconds`.
fn camel(paths: &str) -> String {
    let mut out = String::with_capacity(paths.len());
    let mut parts = paths.split('_');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let mut rest = part.chars();
        out.extend(rest.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(rest.as_str());
    }
    out
}

fn options() -> DeserializeOptions {
    DeserializeOptions::new().deny_unknown_fields(true)
}

/// An upper bound of the values in a JSON text: each follows a comma or opens an array or object. In memory a value
/// takes many times the room of its two bytes of text.
fn values(json: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_in_either_spelling() {
        assert_eq!(
            camel("labels,ack_deadline_seconds,push_config.push_endpoint"),
            "labels,ackDeadlineSeconds,pushConfig.pushEndpoint"
        );
        assert_eq!(camel("ackDeadlineSeconds"), "ackDeadlineSeconds");
        assert_eq!(camel("_a__b_"), "AB");
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (json, expected) in [("", 1), (r#"{"a":"b"}"#, 2), (r#"[1,2,"a,b\",[{",{}]"#, 6), (r#""\\",1"#, 2)] {
            assert_eq!(values(json.as_bytes()), expected, "{json}");
        }
    }
}
