//! Schemas that several services' fields have.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Something that can be seen, and nothing that cannot: what [`char::is_control`] and [`str::trim`] leave.
const VISIBLE: &str = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$";

/// A text of 1 to `MAX` printable characters that is not only spaces: `#[schemars(schema_with = "line::<100>")]`.
#[must_use]
pub fn line<const MAX: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": VISIBLE })
}

/// Such a text, or none.
#[must_use]
pub fn optional_line<const MAX: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "minLength": 1, "maxLength": MAX, "pattern": VISIBLE })
}

/// Dollars with at most two decimals, from 0 to `MAX`.
#[must_use]
pub fn dollars<const MAX: u64>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number", "minimum": 0, "maximum": MAX, "multipleOf": 0.01 })
}
