//! What `use_topic_schema` needs of the schemas of topics.

use serde_json::{Map, Value};

/// Reads messages by the schema of their topic.
pub(crate) trait TopicSchema: Send + Sync {
    /// The schema's fields, of its outermost record or message.
    fn fields(&self) -> Vec<String>;

    /// The fields of a message, in the forms that columns take from JSON: NUMERIC, BYTES (base64) and times as strings, a 64-bit
    /// integer as a number, a JSON column's text as a string.
    ///
    /// # Errors
    /// Why the message is not of the schema.
    fn read(&self, data: &[u8]) -> Result<Map<String, Value>, String>;
}
