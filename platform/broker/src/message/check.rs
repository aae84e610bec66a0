//! What a publisher may send.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

use super::encode::stored;
use super::view::MessageView;
use crate::error::Refusal;
use crate::limits;

/// A checked message on its way to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    /// An encoded `PubsubMessage` of data, attributes and ordering key only.
    pub(crate) payload: Bytes,
    /// Hash of the ordering key, never 0; 0 for a message without one. Two keys with one hash are ordered together.
    pub(crate) key: u64,
}

/// Checks the encoded messages of one publish request.
///
/// # Errors
/// `INVALID_ARGUMENT` with the limit that is exceeded. Nothing of the request is published.
pub(crate) fn incoming(messages: Vec<Bytes>) -> Result<Vec<Incoming>, Refusal> {
    if messages.is_empty() {
        return Err(Refusal::invalid("A publish request has at least one message"));
    }
    check_count(messages.len())?;
    let total: usize = messages.iter().map(Bytes::len).sum();
    if total > limits::PUBLISH_BYTES {
        return Err(Refusal::invalid(format!(
            "The value for request_size is too large. You passed {total} in the request, but the maximum value is {}.",
            limits::PUBLISH_BYTES
        )));
    }
    let mut checked = Vec::with_capacity(messages.len());
    for payload in messages {
        checked.push(one(payload)?);
    }
    // As the service does: a request's messages all have the same ordering key, or none has one.
    if checked.iter().any(|m| m.key != checked[0].key) {
        return Err(Refusal::invalid(
            "In a single publish request, all messages must have no ordering key or they must all have the same \
             ordering key",
        ));
    }
    Ok(checked)
}

/// Checks the number of messages in one publish request.
pub(crate) fn check_count(messages: usize) -> Result<(), Refusal> {
    if messages > limits::PUBLISH_MESSAGES {
        return Err(Refusal::invalid(format!(
            "The value for message_count is too large. You passed {messages} in the request, but the maximum value is {}.",
            limits::PUBLISH_MESSAGES
        )));
    }
    Ok(())
}

fn one(payload: Bytes) -> Result<Incoming, Refusal> {
    let view = MessageView::of(&payload).map_err(|_| Refusal::invalid("A message is not a valid PubsubMessage"))?;
    if view.data.is_empty() && view.attributes.is_empty() {
        return Err(Refusal::invalid(
            "Some messages in the PublishRequest are empty: each message must contain either non-empty data, or at \
             least one attribute",
        ));
    }
    attributes(&view.attributes)?;
    if view.ordering_key.len() > limits::ORDERING_KEY_BYTES {
        let len = view.ordering_key.len();
        return Err(Refusal::invalid(format!(
            "The ordering key is too long: {len} bytes, but the maximum is {}",
            limits::ORDERING_KEY_BYTES
        )));
    }
    let key = key_hash(view.ordering_key);
    if view.foreign {
        return Ok(Incoming { payload: stored(&payload), key });
    }
    Ok(Incoming { payload, key })
}

fn attributes(attributes: &[(&str, &str)]) -> Result<(), Refusal> {
    if attributes.len() > limits::ATTRIBUTES {
        return Err(Refusal::invalid(format!("A message has more than {} attributes", limits::ATTRIBUTES)));
    }
    for (i, (key, value)) in attributes.iter().enumerate() {
        if key.is_empty() || key.len() > limits::ATTRIBUTE_KEY_BYTES {
            return Err(Refusal::invalid(format!(
                "An attribute's key has 1 to {} bytes, this one has {}",
                limits::ATTRIBUTE_KEY_BYTES,
                key.len()
            )));
        }
        if value.len() > limits::ATTRIBUTE_VALUE_BYTES {
            return Err(Refusal::invalid(format!(
                "The value of attribute {key} has {} bytes, but the maximum is {}",
                value.len(),
                limits::ATTRIBUTE_VALUE_BYTES
            )));
        }
        if key.starts_with("goog") {
            return Err(Refusal::invalid(format!("Attribute key {key} starts with the reserved prefix goog")));
        }
        if attributes[..i].iter().any(|(earlier, _)| earlier == key) {
            return Err(Refusal::invalid(format!("Attribute key {key} is there twice")));
        }
    }
    Ok(())
}

fn key_hash(key: &str) -> u64 {
    if key.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish().max(1)
}
