//! The files in `schemas/` are what the types and the table say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas");
const UPDATE: &str = "UPDATE_SCHEMAS=1 cargo test -p events --test generated";

#[test]
fn every_generated_file_is_up_to_date() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    let mut stale = Vec::new();
    for (name, text) in events::generated::files() {
        let path = Path::new(SCHEMAS).join(&name);
        if update {
            fs::write(&path, text).expect("schemas/ can be written");
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "stale or missing in schemas/: {stale:?}; write them anew with `{UPDATE}`");
}

#[test]
fn no_file_outlives_the_event_it_was_made_from() {
    let made: BTreeSet<String> = events::generated::files().into_iter().map(|(name, _)| name).collect();
    let found = fs::read_dir(SCHEMAS).expect("schemas/ is there").map(|entry| entry.expect("schemas/ can be listed"));
    let orphans: Vec<String> = found
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !made.contains(name))
        .collect();
    assert!(orphans.is_empty(), "nothing generates these files in schemas/ any more: {orphans:?}");
}

#[test]
fn every_schema_is_itself_valid_and_says_what_the_event_means() {
    for row in events::topology::EVENTS {
        let schema = (row.schema)();
        assert!(jsonschema::meta::is_valid(&schema), "{} is not a JSON Schema", row.event_type);
        let meaning = schema["description"].as_str().unwrap_or_default();
        assert!(!meaning.is_empty(), "{} has no description", row.event_type);
    }
}

#[test]
fn every_reference_in_the_asyncapi_document_leads_somewhere() {
    let document = events::asyncapi::document();
    let files: BTreeSet<String> = events::generated::files().into_iter().map(|(name, _)| name).collect();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 100, "only {} references", references.len());
    for reference in references {
        let found = match reference.strip_prefix('#') {
            Some(pointer) => document.pointer(pointer).is_some(),
            None => files.contains(&reference),
        };
        assert!(found, "{reference} leads nowhere");
    }
}

fn collect_references(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            into.extend(members.get("$ref").and_then(|target| target.as_str()).map(ToOwned::to_owned));
            members.values().for_each(|member| collect_references(member, into));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}

/// Words that would name a person, where to find them, or how they pay.
const PERSONAL: [&str; 20] = [
    "name", "names", "first", "last", "email", "mail", "address", "street", "city", "zip", "postcode", "phone",
    "mobile", "birth", "card", "pan", "cvv", "iban", "account", "ip",
];

#[test]
fn no_schema_has_a_place_for_personal_data() {
    let mut members = 0;
    for row in events::topology::EVENTS {
        let mut names = Vec::new();
        collect_members(&(row.schema)(), &mut names);
        members += names.len();
        for name in names {
            let personal = words(&name).into_iter().find(|word| PERSONAL.contains(&word.as_str()));
            assert_eq!(personal, None, "{} has the member {name}", row.event_type);
        }
    }
    assert!(members > 100, "only {members} members seen");
}

fn collect_members(schema: &serde_json::Value, into: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(|properties| properties.as_object()) {
                into.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| collect_members(value, into));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_members(item, into)),
        _ => {}
    }
}

/// `creditNoteId` as `credit`, `note`, `id`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c.is_ascii_uppercase() || c == '_' {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase().filter(|c| *c != '_'));
        }
    }
    words
}
