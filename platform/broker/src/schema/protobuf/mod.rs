//! Protocol Buffer definitions, compiled by `protox`.

mod binary;
mod compatible;
mod compile;
mod nesting;
mod row;

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::{Map, Value};

pub(super) use compatible::compatible;

use super::Encoding;
use crate::limits::WAREHOUSE_VALUES;
use crate::warehouse::Field;

/// A compiled Protocol Buffer definition: its one message.
#[derive(Debug)]
pub(crate) struct Protobuf {
    message: MessageDescriptor,
    /// Whether any message has required fields, which only proto2 has.
    has_required: bool,
}

impl Protobuf {
    pub(super) fn parse(text: &str) -> Result<Protobuf, String> {
        nesting::check(text)?;
        let message = compile::compile(text)?;
        let has_required = message.parent_pool().all_messages().any(|m| m.fields().any(|f| f.is_required()));
        Ok(Protobuf { message, has_required })
    }

    pub(super) fn validate_json(&self, data: &[u8]) -> Result<(), String> {
        self.parse_json(data).map(drop)
    }

    pub(super) fn validate_binary(&self, data: &[u8]) -> Result<(), String> {
        binary::message(&self.message, self.has_required, data).map(drop)
    }

    pub(super) fn fields(&self) -> Result<Vec<Field>, String> {
        row::fields(&self.message)
    }

    /// A message's fields in the forms that columns take. Only what has [`Protobuf::fields`].
    pub(super) fn row(&self, encoding: Encoding, data: &[u8]) -> Result<Map<String, Value>, String> {
        let message = match encoding {
            Encoding::Json => self.parse_json(data)?,
            Encoding::Binary => {
                // Taken apart, a value has a hundred times its bytes.
                if binary::message(&self.message, self.has_required, data)? > WAREHOUSE_VALUES {
                    return Err(format!("a message of more than {WAREHOUSE_VALUES} values makes no row"));
                }
                DynamicMessage::decode(self.message.clone(), data).map_err(|error| error.to_string())?
            }
        };
        row::message(&message)
    }

    fn parse_json(&self, data: &[u8]) -> Result<DynamicMessage, String> {
        let mut json = serde_json::Deserializer::from_slice(data);
        let message =
            DynamicMessage::deserialize(self.message.clone(), &mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        if self.has_required {
            self.validate_binary(&message.encode_to_vec())?;
        }
        Ok(message)
    }
}

#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod tests;
