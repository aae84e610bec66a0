//! Schemas: what a topic's messages look like. Parsed definitions, their messages, and what a new revision may change.

mod avro;
mod fields;
mod guard;
mod protobuf;
mod reading;
mod revisions;

use google_cloud_googleapis::pubsub::v1 as pb;
use serde_json::{Map, Value};

pub(crate) use guard::{Allowed, Guard};
pub(crate) use pb::schema::Type;
pub(crate) use reading::Reading;
pub(crate) use revisions::{Revision, Schema};

use crate::limits::{SCHEMA_BYTES, SCHEMA_REASON_BYTES};
use crate::warehouse::Field;

/// The attribute that says which revision a message follows.
pub(crate) const SCHEMA_REVISION: &str = "googclient_schemarevisionid";

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Binary,
}

impl Encoding {
    /// The encoding of a request, if it says one.
    pub(crate) fn of(encoding: i32) -> Option<Encoding> {
        match pb::Encoding::try_from(encoding) {
            Ok(pb::Encoding::Json) => Some(Encoding::Json),
            Ok(pb::Encoding::Binary) => Some(Encoding::Binary),
            Ok(pb::Encoding::Unspecified) | Err(_) => None,
        }
    }

    /// As the service writes it into a message's attributes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Json => "JSON",
            Encoding::Binary => "BINARY",
        }
    }
}

/// A parsed definition.
#[derive(Debug)]
pub(crate) enum Definition {
    Avro(avro::Avro),
    Protobuf(protobuf::Protobuf),
}

impl Definition {
    /// Parses a definition. Takes a while with a large one.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn parse(kind: Type, text: &str) -> Result<Definition, String> {
        if text.len() > SCHEMA_BYTES {
            return Err(format!("the definition has {} bytes, but the maximum is {SCHEMA_BYTES}", text.len()));
        }
        let parsed = match kind {
            Type::Avro => avro::Avro::parse(text).map(Definition::Avro),
            Type::ProtocolBuffer => protobuf::Protobuf::parse(text).map(Definition::Protobuf),
            Type::Unspecified => Err("the type of the schema is missing".to_owned()),
        };
        parsed.map_err(short)
    }

    /// Checks a message's data.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub(crate) fn validate(&self, encoding: Encoding, data: &[u8]) -> Result<(), String> {
        let checked = match (self, encoding) {
            (Definition::Avro(avro), Encoding::Json) => avro.validate_json(data),
            (Definition::Avro(avro), Encoding::Binary) => avro.validate_binary(data),
            (Definition::Protobuf(protobuf), Encoding::Json) => protobuf.validate_json(data),
            (Definition::Protobuf(protobuf), Encoding::Binary) => protobuf.validate_binary(data),
        };
        checked.map_err(short)
    }

    /// The fields of a message, with the columns they fit.
    ///
    /// # Errors
    /// A sentence that names what fits no column.
    pub(crate) fn fields(&self) -> Result<Vec<Field>, String> {
        let fields = match self {
            Definition::Avro(avro) => avro.fields(),
            Definition::Protobuf(protobuf) => protobuf.fields(),
        };
        fields.map_err(|why| short(format!("the topic's schema makes no rows: {why}")))
    }

    /// A message's fields in the forms that columns take. Only of a definition that has [`Definition::fields`].
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub(crate) fn row(&self, encoding: Encoding, data: &[u8]) -> Result<Map<String, Value>, String> {
        let row = match self {
            Definition::Avro(avro) => avro.row(encoding, data),
            Definition::Protobuf(protobuf) => protobuf.row(encoding, data),
        };
        row.map_err(short)
    }
}

/// Whether `new` may be a revision beside `old`: messages of each can be read with the other.
///
/// # Errors
/// A sentence that names what is in the way.
pub(crate) fn compatible(old: &Definition, new: &Definition) -> Result<(), String> {
    let compared = match (old, new) {
        (Definition::Avro(old), Definition::Avro(new)) => avro::compatible(old, new),
        (Definition::Protobuf(old), Definition::Protobuf(new)) => protobuf::compatible(old, new),
        _ => Err("a schema keeps its type".to_owned()),
    };
    compared.map_err(short)
}

/// A reason cut to what fits into an answer's headers: it may quote what it is about.
fn short(mut why: String) -> String {
    why.truncate(why.floor_char_boundary(SCHEMA_REASON_BYTES));
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_however_long_what_it_quotes() {
        let long = "é".repeat(100_000);
        let text = r#"{"type": "record", "name": "M", "fields": [{"name": "f", "type": "int"}]}"#;
        let definition = Definition::parse(Type::Avro, text).unwrap();
        let why = definition.validate(Encoding::Json, format!(r#"{{"f": 1, "{long}": 2}}"#).as_bytes()).unwrap_err();
        assert!(why.contains("has no field é") && why.len() <= SCHEMA_REASON_BYTES, "{} bytes", why.len());
        let why = Definition::parse(Type::Avro, &text.replace("int", &long)).unwrap_err();
        assert!(why.len() <= SCHEMA_REASON_BYTES, "{} bytes", why.len());
        assert!(Definition::parse(Type::Avro, &" ".repeat(SCHEMA_BYTES + 1)).is_err());
    }
}
