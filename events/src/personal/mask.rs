//! Personal data is not shown: a rule from the schemas, and nothing that the schemas do not know.
//!
//! A value is shown when its field is in the schema of the event's type, is protected as its class says, is not named like a person's data,
//! and holds what the schema says it holds. Everything else is masked: a customer who is not sealed, unknown fields, text where a number or
//! one of a few words belongs, unknown types, payloads that cannot be read. Numbers and booleans of unknown fields are masked too.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Class, NOBODY, is_sealed, resolve};
use crate::topology::EVENTS;

/// Stands for what is not shown.
pub const MASKED: &str = "•••";
/// A field whose name has one of these words is a person's, whatever the schema says.
const PERSONAL: [&str; 18] = [
    "surname",
    "firstname",
    "lastname",
    "fullname",
    "email",
    "mail",
    "phone",
    "mobile",
    "address",
    "street",
    "city",
    "zip",
    "postal",
    "postcode",
    "birth",
    "iban",
    "card",
    "password",
];
/// Schemas nest; a payload deeper than this is masked.
const MAX_DEPTH: usize = 16;

/// The payload of an event of `event_type`, with what is personal masked.
#[must_use]
pub fn payload(event_type: &str, data: &str) -> Value {
    let Ok(value) = serde_json::from_str::<Value>(data) else { return Value::from(MASKED) };
    let root = EVENTS.iter().find(|row| row.event_type == event_type).map(|row| (row.schema)());
    match root {
        Some(root) => shown(&value, &root, &root, 0),
        None => hidden(&value),
    }
}

/// The attributes of an event: those of `CloudEvents` and the content type are shown, the value of any other is not.
#[must_use]
pub fn attributes(attributes: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let shown = |(name, value): (&String, &String)| {
        let is_ours = name.starts_with("ce-") || name.eq_ignore_ascii_case("content-type");
        (name.clone(), if is_ours { text(value) } else { MASKED.to_owned() })
    };
    attributes.iter().map(shown).collect()
}

/// Text for people in which nothing looks like a mail address.
#[must_use]
pub fn text(text: &str) -> String {
    text.split(' ').map(|word| if word.contains('@') { MASKED } else { word }).collect::<Vec<_>>().join(" ")
}

/// A customer as they are shown: the sealed id, and nothing of one that is not.
#[must_use]
pub fn customer(id: &str) -> &str {
    if is_sealed(id) || id == NOBODY { id } else { MASKED }
}

fn shown(value: &Value, schema: &Value, root: &Value, depth: usize) -> Value {
    let class = Class::of(schema, root);
    let schema = resolve(schema, root);
    if depth > MAX_DEPTH {
        return Value::from(MASKED);
    }
    match value {
        Value::String(id) if class == Some(Class::Sealed) => Value::from(customer(id)),
        Value::Object(fields) => {
            let of = |(name, value): (&String, &Value)| {
                let known = schema.get("properties").and_then(|properties| properties.get(name));
                let value = match known {
                    Some(field) if !is_personal(name) => shown(value, field, root, depth + 1),
                    _ => hidden(value),
                };
                (name.clone(), value)
            };
            Value::Object(fields.iter().map(of).collect::<Map<_, _>>())
        }
        Value::Array(items) => match schema.get("items") {
            Some(item) => items.iter().map(|value| shown(value, item, root, depth + 1)).collect(),
            None => hidden(value),
        },
        plain if !fits(plain, schema, root, depth) => hidden(plain),
        Value::String(words) => Value::from(text(words)),
        plain => plain.clone(),
    }
}

/// Whether a plain value is of a type, and one of the values, that the schema allows.
fn fits(value: &Value, schema: &Value, root: &Value, depth: usize) -> bool {
    let schema = resolve(schema, root);
    if depth > MAX_DEPTH {
        return false;
    }
    let is_of = |kind: &Value| match kind.as_str() {
        Some("string") => value.is_string(),
        Some("integer" | "number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    };
    let allows = |name: &str, rule: &dyn Fn(&Value) -> bool| schema.get(name).is_none_or(rule);
    let any =
        |choices: &Value| choices.as_array().is_some_and(|all| all.iter().any(|one| fits(value, one, root, depth + 1)));
    allows("const", &|only| only == value)
        && allows("enum", &|all| all.as_array().is_some_and(|all| all.contains(value)))
        && allows("type", &|kind| kind.as_array().map_or_else(|| is_of(kind), |kinds| kinds.iter().any(is_of)))
        && allows("oneOf", &any)
        && allows("anyOf", &any)
}

/// The shape of a value, without what it says.
fn hidden(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.keys().map(|name| (name.clone(), Value::from(MASKED))).collect(),
        Value::Null => Value::Null,
        _ => json!(MASKED),
    }
}

fn is_personal(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "name" || PERSONAL.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIRMED: &str = "com.onlineboutique.order.confirmed.v1";

    #[test]
    fn a_payload_of_the_schema_is_shown_as_it_is() {
        let sample = json!({
            "orderId": "O1", "customerId": "S.00112233445566778899aabbccddeeff", "risk": "LOW",
            "lines": [{ "productId": "CAMERA", "quantity": 2, "ledger": "inventory",
                        "unitPrice": { "currencyCode": "USD", "units": 10, "nanos": 0 } }],
        });
        assert_eq!(payload(CONFIRMED, &sample.to_string()), sample);
    }

    #[test]
    fn names_mails_addresses_phones_and_whatever_no_schema_knows_are_masked() {
        let bad = json!({
            "orderId": "O1", "name": "Ada", "email": "ada@example.org", "phoneNumber": "+1 555", "shippingAddress": { "street": "Elm" },
            "note": "call Ada", "lines": [{ "productId": "CAMERA", "recipient": "Ada", "quantity": "Ada" }], "risk": "Ada", "customerId": "ada@example.org",
        });
        let shown = payload(CONFIRMED, &bad.to_string());
        let text = shown.to_string();
        for secret in ["Ada", "example", "555", "Elm"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!((&shown["orderId"], &shown["lines"][0]["productId"]), (&json!("O1"), &json!("CAMERA")));
    }

    #[test]
    fn of_an_unknown_type_or_a_broken_payload_only_the_shape_is_shown() {
        assert_eq!(payload("x", r#"{"a":"Ada","b":{"c":1},"d":7}"#), json!({ "a": MASKED, "b": MASKED, "d": MASKED }));
        assert_eq!(payload(CONFIRMED, "Ada's order"), json!(MASKED));
        assert_eq!(payload(CONFIRMED, r#"["Ada"]"#), json!(MASKED));
    }

    #[test]
    fn a_customer_who_is_not_sealed_is_not_shown() {
        let clear = payload(CONFIRMED, r#"{"orderId":"O1","customerId":"john-doe"}"#);
        assert_eq!(clear, json!({ "orderId": "O1", "customerId": MASKED }));
        assert_eq!(customer("nobody"), "nobody");
    }
}
