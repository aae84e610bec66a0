//! The envelope as a Pub/Sub message and back: CloudEvents 1.0 in binary mode.
//!
//! Context attributes become Pub/Sub attributes with the prefix `ce-`, `datacontenttype` becomes `Content-Type`, the payload is
//! the message's data. From the Pub/Sub protocol binding in googleapis/google-cloudevents (docs/spec/pubsub.md). `ce-datacontenttype` is accepted too.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::envelope::{Encoded, Envelope, EnvelopeError, MAX_ATTRIBUTE_BYTES, MAX_DATA_BYTES, clip};
use crate::fact::FieldError;
use crate::id::EventId;
use crate::schema;

/// The most attributes accepted. From Pub/Sub's limit on a message.
pub const MAX_ATTRIBUTES: usize = 100;
/// The longest attribute name accepted, in bytes. From Pub/Sub's limit on attribute keys.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 256;

const PREFIX: &str = "ce-";
const CONTENT_TYPE: &str = "Content-Type";
const JSON: &str = "application/json";

/// What Pub/Sub carries: attributes and bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Context attributes, prefixed.
    pub attributes: BTreeMap<String, String>,
    /// The payload.
    pub data: Vec<u8>,
}

impl From<Envelope<Encoded>> for Message {
    fn from(envelope: Envelope<Encoded>) -> Self {
        let mut attributes = BTreeMap::new();
        let mut set = |name: &str, value: String| {
            attributes.insert(format!("{PREFIX}{name}"), value);
        };
        // Extensions first: one that borrows the name of a context attribute loses to it.
        for (name, value) in envelope.extensions {
            set(&name, value);
        }
        set("specversion", "1.0".to_owned());
        if let Some(uri) = schema::uri(&envelope.event_type) {
            set("dataschema", uri);
        }
        set("id", envelope.id.to_string());
        set("source", envelope.source);
        set("type", envelope.event_type);
        set("subject", envelope.subject);
        set("time", envelope.time.to_string());
        set("partitionkey", envelope.partition_key);
        set("correlationid", envelope.correlation_id.to_string());
        let optional = [
            ("causationid", envelope.causation_id.map(|id| id.to_string())),
            ("traceparent", envelope.traceparent),
            ("replayid", envelope.replay_id),
            ("replaytarget", envelope.replay_target),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                set(name, value);
            }
        }
        attributes.insert(CONTENT_TYPE.to_owned(), JSON.to_owned());
        Self { attributes, data: envelope.data.0.into_bytes() }
    }
}

impl TryFrom<Message> for Envelope<Encoded> {
    type Error = EnvelopeError;

    fn try_from(message: Message) -> Result<Self, EnvelopeError> {
        let mut attributes = Context::new(message.attributes)?;
        attributes.check_fixed()?;
        if message.data.len() > MAX_DATA_BYTES {
            return Err(EnvelopeError::TooLarge(message.data.len()));
        }
        let data = String::from_utf8(message.data)
            .map_err(|_| EnvelopeError::Data(FieldError::new("data", "is not UTF-8")))?;
        Ok(Envelope {
            id: attributes.id("ce-id")?,
            source: attributes.required("ce-source")?,
            event_type: attributes.required("ce-type")?,
            subject: attributes.required("ce-subject")?,
            time: attributes.time()?,
            partition_key: attributes.required("ce-partitionkey")?,
            correlation_id: attributes.id("ce-correlationid")?,
            causation_id: attributes.optional_id("ce-causationid")?,
            traceparent: attributes.take("ce-traceparent"),
            replay_id: attributes.take("ce-replayid"),
            replay_target: attributes.take("ce-replaytarget"),
            extensions: attributes.extensions()?,
            data: Encoded(data),
        })
    }
}

/// The `ce-` attributes of a message, taken out one by one; what is left is extensions.
struct Context(BTreeMap<String, String>);

impl Context {
    fn new(attributes: BTreeMap<String, String>) -> Result<Self, EnvelopeError> {
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(context("attributes", format!("are more than {MAX_ATTRIBUTES}")));
        }
        for (name, value) in &attributes {
            if name.len() > MAX_ATTRIBUTE_NAME_BYTES {
                return Err(context(clip(name), format!("is a name longer than {MAX_ATTRIBUTE_NAME_BYTES} bytes")));
            }
            if value.len() > MAX_ATTRIBUTE_BYTES {
                return Err(context(clip(name), format!("is longer than {MAX_ATTRIBUTE_BYTES} bytes")));
            }
        }
        Ok(Self(attributes))
    }

    /// Checks and drops what has one legal value, or is derived.
    fn check_fixed(&mut self) -> Result<(), EnvelopeError> {
        match self.take("ce-specversion").as_deref() {
            Some("1.0") => {}
            Some(_) => return Err(context("specversion", "is not 1.0")),
            None => return Err(EnvelopeError::Missing("specversion")),
        }
        self.take("ce-dataschema");
        let declared = [self.take("ce-datacontenttype"), self.0.remove(CONTENT_TYPE), self.0.remove("content-type")];
        match declared.into_iter().flatten().find(|value| !is_json(value)) {
            Some(_) => Err(context("datacontenttype", "is not JSON")),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn required(&mut self, name: &'static str) -> Result<String, EnvelopeError> {
        match self.take(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(EnvelopeError::Missing(bare(name))),
        }
    }

    fn id(&mut self, name: &'static str) -> Result<EventId, EnvelopeError> {
        self.required(name)?.try_into().map_err(|error: crate::id::InvalidId| context(bare(name), error.to_string()))
    }

    fn optional_id(&mut self, name: &'static str) -> Result<Option<EventId>, EnvelopeError> {
        if self.0.contains_key(name) { self.id(name).map(Some) } else { Ok(None) }
    }

    fn time(&mut self) -> Result<Timestamp, EnvelopeError> {
        let text = self.required("ce-time")?;
        let time = if looks_like_rfc3339(&text) { text.parse().ok() } else { None };
        time.ok_or_else(|| context("time", "is not an RFC 3339 time"))
    }

    /// What is left: CloudEvents extensions. Attributes without the prefix belong to Pub/Sub and are dropped.
    fn extensions(self) -> Result<BTreeMap<String, String>, EnvelopeError> {
        let mut extensions = BTreeMap::new();
        for (name, value) in self.0 {
            let Some(name) = name.strip_prefix(PREFIX) else { continue };
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
                return Err(context(clip(name), "is not an extension name of a-z 0-9"));
            }
            extensions.insert(name.to_owned(), value);
        }
        Ok(extensions)
    }
}

/// The name CloudEvents knows an attribute by.
fn bare(name: &'static str) -> &'static str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// `YYYY-MM-DDTHH:MM:SS` and a zone: of what the parser takes, only what every other reader takes too.
fn looks_like_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= "2026-01-01T00:00:00Z".len()
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().all(|&(at, mark)| bytes[at] == mark)
        && bytes[19..].iter().all(|b| b.is_ascii_digit() || b".Z+-:".contains(b))
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case(JSON) || (media.starts_with("application/") && media.ends_with("+json"))
}

fn context(path: impl Into<String>, problem: impl Into<String>) -> EnvelopeError {
    EnvelopeError::Context(FieldError::new(path, problem))
}
