//! A message as a row.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::column::{Column, Type};
use super::moment;
use super::plan::{Metadata, Plan, Source};
use super::shape::Bad;
use super::value::{check_length, is_json};
use crate::message::MessageView;
use crate::schema::SCHEMA_REVISION;

/// BigQuery's pseudo-columns of change data capture.
const CHANGE: [&str; 2] = ["_CHANGE_TYPE", "_CHANGE_SEQUENCE_NUMBER"];

/// What a row is made of.
pub(super) struct Given<'a> {
    /// Full name.
    pub(super) subscription: &'a str,
    pub(super) id: u64,
    pub(super) publish_ms: u64,
    pub(super) message: &'a MessageView<'a>,
}

impl Given<'_> {
    /// The revision of the topic's schema that the message followed when it was published.
    fn stamped_revision(&self) -> Option<&str> {
        self.message.attributes.iter().find(|(key, _)| *key == SCHEMA_REVISION).map(|(_, revision)| *revision)
    }
}

impl Plan {
    /// The columns of a message's row.
    ///
    /// # Errors
    /// Why there is no row: the message does not fit the table.
    pub(super) fn row(&self, given: &Given) -> Result<Map<String, Value>, Bad> {
        let data = given.message.data;
        let mut row = match &self.source {
            Source::Data(column) => {
                let value = whole(column, data).map_err(|why| Bad(format!("{}: {why}", column.name)))?;
                Map::from_iter([(column.name.clone(), value)])
            }
            Source::Fields(shape, schema) => {
                let fields = match schema {
                    Some(schema) => schema.read(data, given.stamped_revision()).map_err(Bad)?,
                    None => fields(data)?,
                };
                if let Some(change) = CHANGE.iter().find(|change| fields.contains_key(**change)) {
                    return Err(Bad(format!("{change}: change data capture is not implemented by this broker")));
                }
                shape.row(fields, self.drop_unknown)?
            }
        };
        if let Some(metadata) = &self.metadata {
            metadata.write(given, &mut row);
        }
        Ok(row)
    }
}

/// A whole message in one column.
fn whole(column: &Column, data: &[u8]) -> Result<Value, String> {
    let text = || std::str::from_utf8(data).map_err(|_| "the message is not UTF-8".to_owned());
    let length = if column.kind == Type::String { text()?.chars().count() } else { data.len() };
    check_length(column, length)?;
    match column.kind {
        Type::Bytes => Ok(Value::String(STANDARD.encode(data))),
        Type::Json if !is_json(data) => Err("the message is not JSON".to_owned()),
        _ => Ok(Value::String(text()?.to_owned())),
    }
}

/// The fields of a message that is a JSON object.
fn fields(data: &[u8]) -> Result<Map<String, Value>, Bad> {
    match serde_json::from_slice(data) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Bad("the message is JSON, but no object".to_owned())),
        Err(_) => Err(Bad("the message is not JSON".to_owned())),
    }
}

impl Metadata {
    fn write(&self, given: &Given, row: &mut Map<String, Value>) {
        let mut attributes: Map<String, Value> =
            given.message.attributes.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        if !given.message.ordering_key.is_empty() {
            attributes.insert("ordering_key".to_owned(), Value::from(given.message.ordering_key));
        }
        row.insert(self.subscription_name.clone(), Value::from(given.subscription));
        row.insert(self.message_id.clone(), Value::from(given.id.to_string()));
        row.insert(self.publish_time.clone(), Value::from(moment::from_ms(given.publish_ms)));
        row.insert(self.attributes.clone(), Value::from(Value::Object(attributes).to_string()));
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
