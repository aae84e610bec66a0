//! Protocol Buffer definitions, compiled by `protox`.

mod binary;
mod compatible;
mod compile;
mod nesting;

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};

pub(super) use compatible::compatible;

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
        let mut json = serde_json::Deserializer::from_slice(data);
        let message =
            DynamicMessage::deserialize(self.message.clone(), &mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        if self.has_required { self.validate_binary(&message.encode_to_vec()) } else { Ok(()) }
    }

    pub(super) fn validate_binary(&self, data: &[u8]) -> Result<(), String> {
        binary::message(&self.message, self.has_required, data)
    }
}

#[cfg(test)]
mod tests;
