//! Every field that could hold something of a person's says how it is protected.

use std::collections::BTreeSet;

use events::personal::{Class, fields};
use events::topology::EVENTS;
use serde_json::Value;

/// Words in the name of a field that is about a person.
const ABOUT_PEOPLE: [&str; 22] = [
    "customer",
    "person",
    "name",
    "mail",
    "phone",
    "mobile",
    "address",
    "street",
    "city",
    "zip",
    "postal",
    "birth",
    "iban",
    "card",
    "passwor",
    "gender",
    "country",
    "recipient",
    "contact",
    "reason",
    "detail",
    "comment",
];
/// Texts of no fixed form that are this house's own words, or a carrier's.
const OWN_WORDS: [&str; 9] = [
    "carrier",
    "code",
    "currencyCode",
    "location",
    "missingEventType",
    "owedBy",
    "releasedBy",
    "risk",
    "trackingNumber",
];

fn leaves<'v>(schema: &'v Value, root: &'v Value, path: &str, found: &mut Vec<(String, &'v Value)>) {
    let target = match schema["$ref"].as_str().and_then(|link| link.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).expect("references lead somewhere"),
        None => schema,
    };
    for (name, field) in target["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        found.push((path.clone(), field));
        leaves(field, root, &format!("{path}."), found);
        if !field["items"].is_null() {
            leaves(&field["items"], root, &format!("{path}[]."), found);
        }
    }
}

/// Whether a text of no fixed form fits the field, or its items.
fn is_open_text(field: &Value) -> bool {
    let item = if field["items"].is_null() { field } else { &field["items"] };
    let is_text = match &item["type"] {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
        kind => kind == "string",
    };
    is_text && ["pattern", "enum", "const", "format", "$ref"].iter().all(|rule| item[*rule].is_null())
}

#[test]
fn a_field_that_looks_personal_has_a_class() {
    let mut unclassified = BTreeSet::new();
    for row in EVENTS {
        let schema = (row.schema)();
        let mut found = Vec::new();
        leaves(&schema, &schema, "", &mut found);
        assert!(!found.is_empty(), "{} has no fields", row.event_type);
        for (path, field) in found {
            let name = path.rsplit('.').next().unwrap_or_default();
            let lower = name.to_lowercase();
            let is_suspect = ABOUT_PEOPLE.iter().any(|word| lower.contains(word)) || is_open_text(field);
            let is_known = OWN_WORDS.contains(&name) || !field["enum"].is_null();
            let chosen = field["$ref"].as_str().is_some_and(|link| link.ends_with("Reason") || link.ends_with("Name"));
            if is_suspect && !is_known && !chosen && Class::of(field, &schema).is_none() {
                unclassified.insert(format!("{} of {}", path, row.event_type));
            }
        }
    }
    assert!(unclassified.is_empty(), "say how these are protected (events/src/personal): {unclassified:#?}");
}

#[test]
fn whoever_an_event_is_about_is_sealed() {
    let sealed = |event_type: &str| {
        let row = EVENTS.iter().find(|row| row.event_type.ends_with(event_type)).unwrap();
        fields(&(row.schema)()).into_iter().filter(|(_, class)| *class == Class::Sealed).count()
    };
    for event_type in ["order.confirmed.v1", "order.rejected.v1", "order.completed.v1", "billing.invoice_requested.v1"]
    {
        assert_eq!(sealed(event_type), 1, "{event_type}");
    }
    let free = fields(&(EVENTS.iter().find(|row| row.event_type.ends_with("order.rejected.v1")).unwrap().schema)());
    assert_eq!(free, [("customerId".to_owned(), Class::Sealed), ("detail".to_owned(), Class::FreeText)]);
}
