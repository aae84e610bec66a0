//! Messages: as published, as kept, and what a publisher may send.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

use super::limits;
use super::refusal::Refusal;

/// A message as a publisher sends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The payload.
    pub data: Bytes,
    /// Keys and values.
    pub attributes: BTreeMap<String, String>,
    /// Empty for none.
    pub ordering_key: String,
}

impl Draft {
    /// Bytes that count against the request's limit.
    fn bytes(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.data.len() + attributes + self.ordering_key.len()
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.data.is_empty() && self.attributes.is_empty() {
            return Err(Refusal::invalid("a message has data or at least one attribute"));
        }
        if self.attributes.len() > limits::ATTRIBUTES {
            return Err(Refusal::invalid(format!("a message has at most {} attributes", limits::ATTRIBUTES)));
        }
        for (key, value) in &self.attributes {
            if key.is_empty() || key.len() > limits::ATTRIBUTE_KEY_BYTES || key.starts_with("goog") {
                return Err(Refusal::invalid("an attribute's key has 1 to 256 bytes and does not start with goog"));
            }
            if value.len() > limits::ATTRIBUTE_VALUE_BYTES {
                return Err(Refusal::invalid("an attribute's value has at most 1,024 bytes"));
            }
        }
        if self.ordering_key.len() > limits::ORDERING_KEY_BYTES {
            return Err(Refusal::invalid("an ordering key has at most 1,024 bytes"));
        }
        Ok(())
    }
}

/// Checks one publish request.
pub(super) fn check(drafts: &[Draft]) -> Result<(), Refusal> {
    if drafts.is_empty() || drafts.len() > limits::PUBLISH_MESSAGES {
        return Err(Refusal::invalid("a publish request has 1 to 1,000 messages"));
    }
    if drafts.iter().map(Draft::bytes).sum::<usize>() > limits::PUBLISH_BYTES {
        return Err(Refusal::invalid("a publish request has at most 10,000,000 bytes"));
    }
    drafts.iter().try_for_each(Draft::check)?;
    if drafts.iter().any(|draft| draft.ordering_key != drafts[0].ordering_key) {
        return Err(Refusal::invalid("the messages of one publish request have one ordering key or none"));
    }
    Ok(())
}

/// A published message.
#[derive(Debug)]
pub struct Kept {
    /// Rises with every message.
    pub id: u64,
    /// Time of publish in milliseconds since the epoch.
    pub publish_ms: u64,
    /// What was sent.
    pub draft: Draft,
    key: u64,
}

impl Kept {
    pub(super) fn new(id: u64, publish_ms: u64, draft: Draft) -> Kept {
        let mut key = 0;
        if !draft.ordering_key.is_empty() {
            // Made with fixed keys: the same in every run.
            let mut hasher = DefaultHasher::new();
            draft.ordering_key.hash(&mut hasher);
            key = hasher.finish().max(1);
        }
        Kept { id, publish_ms, draft, key }
    }
}

impl delivery::Message for Kept {
    fn id(&self) -> u64 {
        self.id
    }

    fn key(&self) -> u64 {
        self.key
    }

    fn publish_ms(&self) -> u64 {
        self.publish_ms
    }

    fn bytes(&self) -> u32 {
        u32::try_from(self.draft.bytes()).unwrap_or(u32::MAX)
    }
}
