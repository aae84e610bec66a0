//! The body of a wrapped push, written by hand into one buffer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;

use super::view::MessageView;

/// What all pushes of one subscription share.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// `},"subscription":"…"`, written once.
    tail: Vec<u8>,
}

impl Envelope {
    pub(crate) fn new(subscription: &str) -> Envelope {
        let mut tail = b"},\"subscription\":".to_vec();
        put_string(&mut tail, subscription);
        Envelope { tail }
    }

    /// The body for a stored message. `attempt` only with a dead-letter policy.
    pub(crate) fn wrap(&self, payload: &[u8], id: u64, publish_ms: u64, attempt: Option<u16>) -> Bytes {
        let view = MessageView::of_stored(payload);
        let text: usize = view.attributes.iter().map(|(k, v)| k.len() + v.len() + 8).sum();
        let mut out =
            Vec::with_capacity(view.data.len() / 3 * 4 + text + view.ordering_key.len() + self.tail.len() + 256);
        out.extend_from_slice(b"{\"message\":{\"attributes\":{");
        for (i, (key, value)) in view.attributes.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            put_string(&mut out, key);
            out.push(b':');
            put_string(&mut out, value);
        }
        out.extend_from_slice(b"},\"data\":\"");
        put_base64(&mut out, view.data);
        let id = id.to_string();
        let time = rfc3339(publish_ms, "Z");
        for part in ["\",\"messageId\":\"", &id, "\",\"message_id\":\"", &id, "\","] {
            out.extend_from_slice(part.as_bytes());
        }
        if !view.ordering_key.is_empty() {
            out.extend_from_slice(b"\"orderingKey\":");
            put_string(&mut out, view.ordering_key);
            out.push(b',');
        }
        for part in ["\"publishTime\":\"", &time, "\",\"publish_time\":\"", &time, "\""] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&self.tail);
        if let Some(attempt) = attempt {
            out.extend_from_slice(b",\"deliveryAttempt\":");
            out.extend_from_slice(attempt.to_string().as_bytes());
        }
        out.push(b'}');
        out.into()
    }
}

/// A time in RFC 3339 with milliseconds and this zone's suffix (`Z` or `+00:00`).
pub(crate) fn rfc3339(epoch_ms: u64, zone: &str) -> String {
    use std::fmt::Write;
    let stamp =
        i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    let mut out = String::with_capacity(32);
    write!(out, "{stamp:.3}").expect("writing to a String does not fail");
    out.pop();
    out + zone
}

fn put_base64(out: &mut Vec<u8>, data: &[u8]) {
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(data, &mut out[start..]).expect("the slice has the size of the padded encoding");
}

/// Appends a JSON string.
fn put_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..i]);
        copied = i + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::encode::Draft;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn the_envelope_has_both_spellings_and_the_attempt_only_when_given() {
        let draft = Draft {
            data: b"hello".to_vec(),
            attributes: [("a\"b".to_owned(), "line\nbreak".to_owned())].into(),
            ordering_key: "order-1".to_owned(),
        };
        let envelope = Envelope::new("projects/p/subscriptions/s");
        let body: Value =
            serde_json::from_slice(&envelope.wrap(&draft.encode(), 12, 1_614_367_435_749, Some(3))).unwrap();
        assert_eq!(
            body,
            json!({
                "message": {
                    "attributes": {"a\"b": "line\nbreak"},
                    "data": "aGVsbG8=",
                    "messageId": "12",
                    "message_id": "12",
                    "orderingKey": "order-1",
                    "publishTime": "2021-02-26T19:23:55.749Z",
                    "publish_time": "2021-02-26T19:23:55.749Z",
                },
                "subscription": "projects/p/subscriptions/s",
                "deliveryAttempt": 3,
            })
        );
        let plain: Value = serde_json::from_slice(&envelope.wrap(&Draft::default().encode(), 1, 0, None)).unwrap();
        assert_eq!(plain["message"]["attributes"], json!({}));
        assert_eq!(plain["message"].get("orderingKey"), None);
        assert_eq!(plain.get("deliveryAttempt"), None);
    }

    #[test]
    fn times_have_milliseconds_and_the_zone_asked_for() {
        assert_eq!(rfc3339(1_614_367_435_000, "+00:00"), "2021-02-26T19:23:55.000+00:00");
    }

    proptest! {
        #[test]
        fn every_envelope_is_json_that_says_what_went_in(
            data in proptest::collection::vec(any::<u8>(), 0..200),
            attributes in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..8),
            ordering_key in any::<String>(),
        ) {
            let draft = Draft { data, attributes, ordering_key };
            let body: Value = serde_json::from_slice(&Envelope::new("s").wrap(&draft.encode(), 1, 1, None)).unwrap();
            prop_assert_eq!(body["message"]["data"].as_str().unwrap(), STANDARD.encode(&draft.data));
            prop_assert_eq!(&body["message"]["attributes"], &serde_json::to_value(&draft.attributes).unwrap());
            prop_assert_eq!(body["message"]["orderingKey"].as_str().unwrap_or(""), draft.ordering_key);
        }
    }
}
