//! Avro definitions. The text is read by `apache_avro`; what messages are held to is our own table of types, because
//! that crate has no decoder for Avro's JSON, and its binary decoder takes messages that are cut off and follows
//! types that contain themselves until the stack ends.

mod binary;
mod compatible;
mod json;
mod meaning;
mod row;
mod text;
mod types;

pub(super) use compatible::compatible;

use serde_json::{Map, Value};

use self::types::{MESSAGE, Types};
use super::Encoding;
use crate::warehouse::Field;

/// A parsed Avro definition.
#[derive(Debug)]
pub(crate) struct Avro {
    types: Types,
}

impl Avro {
    pub(super) fn parse(text: &str) -> Result<Avro, String> {
        let types = text::parse(text)?;
        Ok(Avro { types })
    }

    pub(super) fn validate_json(&self, data: &[u8]) -> Result<(), String> {
        json::message(&self.types, &parse_json(data)?)
    }

    pub(super) fn validate_binary(&self, data: &[u8]) -> Result<(), String> {
        binary::message(&self.types, data)
    }

    pub(super) fn fields(&self) -> Result<Vec<Field>, String> {
        row::fields(&self.types)
    }

    /// A message's fields in the forms that columns take. Only what has [`Avro::fields`].
    pub(super) fn row(&self, encoding: Encoding, data: &[u8]) -> Result<Map<String, Value>, String> {
        let row = match encoding {
            Encoding::Json => {
                let value = parse_json(data)?;
                json::message(&self.types, &value)?;
                row::from_json(&self.types, MESSAGE, value)?
            }
            Encoding::Binary => {
                self.validate_binary(data)?;
                row::from_binary(&self.types, data)?
            }
        };
        match row {
            Value::Object(row) => Ok(row),
            _ => Err("the message is no record".to_owned()),
        }
    }
}

fn parse_json(data: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(data).map_err(|error| format!("the message is not JSON: {error}"))
}

#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod tests;
