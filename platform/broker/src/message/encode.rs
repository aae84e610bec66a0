//! Messages as they are kept and as they are given out.

#[cfg(test)]
use std::collections::BTreeMap;

use bytes::Bytes;

use super::view::attribute;
use super::wire::{Fields, Value, put_bytes, put_varint};

const DATA: u64 = 1;
const ATTRIBUTES: u64 = 2;
const MESSAGE_ID: u64 = 3;
const PUBLISH_TIME: u64 = 4;
const ORDERING_KEY: u64 = 5;

/// A message for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) data: Vec<u8>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) ordering_key: String,
}

#[cfg(test)]
impl Draft {
    /// The encoded `PubsubMessage`.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.data.len() + 64 * (1 + self.attributes.len()));
        if !self.data.is_empty() {
            put_bytes(&mut out, DATA, &self.data);
        }
        for (key, value) in &self.attributes {
            put_attribute(&mut out, key, value);
        }
        if !self.ordering_key.is_empty() {
            put_bytes(&mut out, ORDERING_KEY, self.ordering_key.as_bytes());
        }
        out.into()
    }
}

/// `message` with only the fields a publisher sets.
pub(super) fn stored(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len());
    for (field, _, bytes) in Fields::of(message).map_while(Result::ok) {
        if matches!(field, DATA | ATTRIBUTES | ORDERING_KEY) {
            out.extend_from_slice(bytes);
        }
    }
    out.into()
}

/// A stored message with the id and the time of its publish, as a subscriber receives it.
pub(crate) fn delivered(payload: &[u8], id: u64, publish_ms: u64) -> Bytes {
    let mut out = Vec::with_capacity(payload.len() + 40);
    out.extend_from_slice(payload);
    put_bytes(&mut out, MESSAGE_ID, id.to_string().as_bytes());
    let mut time = Vec::with_capacity(16);
    time.push(1 << 3);
    put_varint(&mut time, publish_ms / 1000);
    time.push(2 << 3);
    put_varint(&mut time, publish_ms % 1000 * 1_000_000);
    put_bytes(&mut out, PUBLISH_TIME, &time);
    out.into()
}

/// A stored message as it goes to a dead-letter topic: the same, with attributes that say where it comes from in
/// place of those of an earlier dead letter.
pub(crate) fn dead_letter(payload: &[u8], source: &[(&str, &str)]) -> Bytes {
    with_attributes(payload, source)
}

/// A message with these attributes, in place of any it has under their names.
pub(crate) fn with_attributes(payload: &[u8], attributes: &[(&str, &str)]) -> Bytes {
    let mut out = Vec::with_capacity(payload.len() + 96 * attributes.len());
    for (field, value, bytes) in Fields::of(payload).map_while(Result::ok) {
        let earlier = matches!((field, value), (ATTRIBUTES, Value::Bytes(entry))
            if attribute(entry).is_ok_and(|(key, _)| attributes.iter().any(|(name, _)| *name == key)));
        if !earlier {
            out.extend_from_slice(bytes);
        }
    }
    for (key, value) in attributes {
        put_attribute(&mut out, key, value);
    }
    out.into()
}

fn put_attribute(out: &mut Vec<u8>, key: &str, value: &str) {
    let mut entry = Vec::with_capacity(key.len() + value.len() + 8);
    put_bytes(&mut entry, 1, key.as_bytes());
    put_bytes(&mut entry, 2, value.as_bytes());
    put_bytes(out, ATTRIBUTES, &entry);
}

#[cfg(test)]
mod tests {
    use super::*;
    use google_cloud_googleapis::pubsub::v1::PubsubMessage;
    use prost::Message;

    fn draft() -> Draft {
        Draft {
            data: b"hello".to_vec(),
            attributes: BTreeMap::from([("a".to_owned(), "1".to_owned()), ("x".to_owned(), "old".to_owned())]),
            ordering_key: "k".to_owned(),
        }
    }

    #[test]
    fn a_delivered_message_has_the_servers_id_and_time() {
        let bytes = delivered(&draft().encode(), 1234567890123456, 1_600_000_000_007);
        let message = PubsubMessage::decode(&bytes[..]).unwrap();
        assert_eq!(message.message_id, "1234567890123456");
        let time = message.publish_time.unwrap();
        assert_eq!((time.seconds, time.nanos), (1_600_000_000, 7_000_000));
        assert_eq!((&message.data[..], message.ordering_key.as_str()), (&b"hello"[..], "k"));
        assert_eq!(message.attributes["a"], "1");
    }

    #[test]
    fn the_id_and_time_a_publisher_makes_up_are_dropped() {
        let claimed = delivered(&draft().encode(), 7, 7);
        assert_eq!(stored(&claimed), draft().encode());
    }

    #[test]
    fn a_second_dead_letter_replaces_the_source_of_the_first() {
        let first = dead_letter(&draft().encode(), &[("x", "new")]);
        let second = dead_letter(&first, &[("x", "newer")]);
        let message = PubsubMessage::decode(&second[..]).unwrap();
        assert_eq!(message.attributes["x"], "newer");
        assert_eq!(message.attributes["a"], "1");
        assert_eq!(first.len() + 2, second.len());
    }
}
