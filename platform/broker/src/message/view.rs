//! A look into an encoded message.

use super::wire::{Fields, Malformed, Value};
use crate::limits;

/// Attributes of a message that can have come in, with those the broker adds. In memory one takes many times its two bytes.
const ATTRIBUTES_SEEN: usize = limits::ATTRIBUTES + 32;

/// The parts of an encoded message, borrowed from it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageView<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
    pub(crate) ordering_key: &'a str,
    /// Whether there are fields other than data, attributes and ordering key: the server's own, or unknown ones.
    pub(crate) foreign: bool,
}

impl<'a> MessageView<'a> {
    /// Looks into an encoded `PubsubMessage`.
    pub(crate) fn of(message: &'a [u8]) -> Result<MessageView<'a>, Malformed> {
        let mut view = MessageView::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(data), _) => view.data = data,
                (2, Value::Bytes(entry), _) => {
                    if view.attributes.is_empty() {
                        view.attributes.reserve(16);
                    }
                    if view.attributes.len() > ATTRIBUTES_SEEN {
                        return Err(Malformed);
                    }
                    view.attributes.push(attribute(entry)?);
                }
                (5, Value::Bytes(key), _) => view.ordering_key = text(key)?,
                (1 | 2 | 5, Value::Number, _) => return Err(Malformed),
                _ => view.foreign = true,
            }
        }
        Ok(view)
    }

    /// A stored message. It was checked when it came in and by the log's checksum when it was read.
    pub(crate) fn of_stored(message: &'a [u8]) -> MessageView<'a> {
        MessageView::of(message).unwrap_or_default()
    }
}

/// Key and value of an encoded map entry.
pub(super) fn attribute(entry: &[u8]) -> Result<(&str, &str), Malformed> {
    let (mut key, mut value) = ("", "");
    for field in Fields::of(entry) {
        match field? {
            (1, Value::Bytes(bytes), _) => key = text(bytes)?,
            (2, Value::Bytes(bytes), _) => value = text(bytes)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use google_cloud_googleapis::pubsub::v1::PubsubMessage;
    use proptest::prelude::*;
    use prost::Message;

    proptest! {
        #[test]
        fn what_a_client_encodes_is_seen(
            data in proptest::collection::vec(any::<u8>(), 0..300),
            attributes in proptest::collection::hash_map("\\PC{0,20}", "\\PC{0,200}", 0..20),
            ordering_key in "\\PC{0,20}",
        ) {
            let message = PubsubMessage { data: data.clone(), attributes: attributes.clone(), ordering_key: ordering_key.clone(), ..Default::default() };
            let bytes = message.encode_to_vec();
            let view = MessageView::of(&bytes).unwrap();
            prop_assert_eq!(view.data, &data[..]);
            prop_assert_eq!(view.ordering_key, ordering_key);
            prop_assert!(!view.foreign);
            let seen = view.attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            prop_assert_eq!(attributes, seen);
        }

        #[test]
        fn any_bytes_are_seen_or_refused_as_prost_does(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let ours = MessageView::of(&bytes);
            if let (Ok(view), Ok(message)) = (&ours, PubsubMessage::decode(&bytes[..])) {
                prop_assert_eq!(view.data, &message.data[..]);
                prop_assert_eq!(view.ordering_key, message.ordering_key);
            }
        }
    }
}
