//! Where the JSON Schema of each event type lives, and the schemas themselves, generated from the types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::fact::Fact;
use crate::topology::TYPE_PREFIX;

/// Base of the absolute URI in `dataschema`.
pub const BASE_URI: &str = "https://onlineboutique.com/schemas/";

/// File name of a type's schema: `order.confirmed.v1.json`.
#[must_use]
pub fn file_name(event_type: &str) -> Option<String> {
    event_type.strip_prefix(TYPE_PREFIX).map(|rest| format!("{rest}.json"))
}

/// Absolute URI of a type's schema. `None` for types that are not ours.
#[must_use]
pub fn uri(event_type: &str) -> Option<String> {
    event_type.strip_prefix(TYPE_PREFIX).map(|rest| format!("{BASE_URI}{rest}.json"))
}

/// The JSON Schema (draft 2020-12) of one fact.
#[must_use]
pub fn of<F: Fact>() -> Value {
    let root = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<F>();
    let mut schema = Map::new();
    schema.insert("$id".to_owned(), json!(uri(F::TYPE)));
    schema.extend(root.to_value().as_object().cloned().unwrap_or_default());
    Value::Object(schema)
}
