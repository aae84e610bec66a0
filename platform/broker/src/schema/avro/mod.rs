//! Avro definitions. The text is read by `apache_avro`; what messages are held to is our own table of types, because
//! that crate has no decoder for Avro's JSON, and its binary decoder takes messages that are cut off and follows
//! types that contain themselves until the stack ends.

mod binary;
mod compatible;
mod json;
mod text;
mod types;

pub(super) use compatible::compatible;

use self::types::Types;

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
        let value = serde_json::from_slice(data).map_err(|error| format!("the message is not JSON: {error}"))?;
        json::message(&self.types, &value)
    }

    pub(super) fn validate_binary(&self, data: &[u8]) -> Result<(), String> {
        binary::message(&self.types, data)
    }
}

#[cfg(test)]
mod tests;
