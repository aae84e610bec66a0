//! The message that is measured, and the number by which it is known again.

use std::ops::Range;
use std::sync::LazyLock;

use google_cloud_googleapis::pubsub::v1::PubsubMessage;
use memchr::memmem::Finder;

/// Bytes of a message's data.
const DATA_BYTES: usize = 1_024;
/// The attributes of a CloudEvent as the services of this project publish it.
const ATTRIBUTES: [&str; 9] = [
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-dataschema",
    "ce-partitionkey",
    "ce-correlationid",
    "ce-causationid",
];
/// The attribute that holds the number.
pub const NUMBERED: &str = "ce-id";
/// What the value of [`NUMBERED`] begins with and no other value holds; the number follows.
const MARK: &str = "0198c0de-7aaa-7bbb-8ccc-";
/// Digits of the number: those that a UUID has left.
const DIGITS: usize = 12;
/// The value of every other attribute.
const OTHER: &str = "0198c0de-7aaa-7bbb-9ddd-123456789abc";

/// What a message is, for people.
#[must_use]
pub fn description() -> String {
    let count = ATTRIBUTES.len();
    let value = OTHER.len();
    format!(
        "a message is {DATA_BYTES} bytes of data and the {count} attributes of a CloudEvent ({value} bytes each), no ordering key"
    )
}

/// Message number `number`.
#[must_use]
pub fn message(number: u64) -> PubsubMessage {
    let value = |name| if name == NUMBERED { format!("{MARK}{number:0DIGITS$}") } else { OTHER.to_owned() };
    let attributes = ATTRIBUTES.iter().map(|name| ((*name).to_owned(), value(*name))).collect();
    PubsubMessage { data: vec![b'x'; DATA_BYTES], attributes, ..Default::default() }
}

/// The messages of these numbers.
#[must_use]
pub fn messages(numbers: Range<u64>) -> Vec<PubsubMessage> {
    numbers.map(message).collect()
}

/// The number of the message in a text: an attribute's value, or the body of a push in whatever JSON. `None`: no message of ours.
#[must_use]
pub fn number(text: &[u8]) -> Option<u64> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
    let digits = FINDER.find(text)? + MARK.len();
    std::str::from_utf8(text.get(digits..digits + DIGITS)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_again_by_its_number() {
        let message = message(90_210);
        assert_eq!(message.data.len(), DATA_BYTES);
        assert_eq!(number(message.attributes[NUMBERED].as_bytes()), Some(90_210));
        let body = format!(r#"{{"message":{{"attributes":{:?}}}}}"#, message.attributes);
        assert_eq!(number(body.as_bytes()), Some(90_210));
    }

    #[test]
    fn a_text_without_a_whole_number_holds_none() {
        assert_eq!(number(OTHER.as_bytes()), None);
        assert_eq!(number(format!("{MARK}1234").as_bytes()), None);
        assert_eq!(number(b""), None);
    }

    #[test]
    fn the_description_says_what_is_sent() {
        let text = description();
        assert!(text.contains("1024 bytes of data and the 9 attributes"), "{text}");
        assert!(message(1).attributes.values().all(|value| value.len() == OTHER.len()));
    }
}
