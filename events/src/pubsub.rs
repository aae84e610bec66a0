//! The envelope as a Pub/Sub message and back: CloudEvents 1.0 in binary mode.
//!
//! Context attributes become Pub/Sub attributes with the prefix `ce-`, `datacontenttype` becomes `Content-Type`, the payload is
//! the message's data. From the Pub/Sub protocol binding in googleapis/google-cloudevents (docs/spec/pubsub.md). `ce-datacontenttype` is accepted too.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::envelope::{Encoded, Envelope, EnvelopeError, MAX_ATTRIBUTE_BYTES, MAX_DATA_BYTES};
use crate::fact::FieldError;
use crate::id::EventId;
use crate::schema;

/// The most attributes accepted. From Pub/Sub's limit on a message.
pub const MAX_ATTRIBUTES: usize = 100;

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
            attributes.insert(format!("ce-{name}"), value);
        };
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
        for (name, value) in envelope.extensions {
            set(&name, value);
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
            id: attributes.id("id")?,
            source: attributes.required("source")?,
            event_type: attributes.required("type")?,
            subject: attributes.required("subject")?,
            time: attributes.time()?,
            partition_key: attributes.required("partitionkey")?,
            correlation_id: attributes.id("correlationid")?,
            causation_id: attributes.optional_id("causationid")?,
            traceparent: attributes.take("traceparent"),
            replay_id: attributes.take("replayid"),
            replay_target: attributes.take("replaytarget"),
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
        match attributes.iter().find(|(_, value)| value.len() > MAX_ATTRIBUTE_BYTES) {
            Some((name, _)) => Err(context(clip(name), format!("is longer than {MAX_ATTRIBUTE_BYTES} bytes"))),
            None => Ok(Self(attributes)),
        }
    }

    /// Checks and drops what has one legal value, or is derived.
    fn check_fixed(&mut self) -> Result<(), EnvelopeError> {
        match self.take("specversion").as_deref() {
            Some("1.0") => {}
            Some(_) => return Err(context("specversion", "is not 1.0")),
            None => return Err(EnvelopeError::Missing("specversion")),
        }
        self.take("dataschema");
        let declared = [self.take("datacontenttype"), self.0.remove(CONTENT_TYPE), self.0.remove("content-type")];
        match declared.into_iter().flatten().find(|value| !is_json(value)) {
            Some(_) => Err(context("datacontenttype", "is not JSON")),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(&format!("ce-{name}"))
    }

    fn required(&mut self, name: &'static str) -> Result<String, EnvelopeError> {
        match self.take(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(EnvelopeError::Missing(name)),
        }
    }

    fn id(&mut self, name: &'static str) -> Result<EventId, EnvelopeError> {
        self.required(name)?.try_into().map_err(|error: crate::id::InvalidId| context(name, error.to_string()))
    }

    fn optional_id(&mut self, name: &'static str) -> Result<Option<EventId>, EnvelopeError> {
        if self.0.contains_key(&format!("ce-{name}")) { self.id(name).map(Some) } else { Ok(None) }
    }

    fn time(&mut self) -> Result<Timestamp, EnvelopeError> {
        self.required("time")?.parse().map_err(|_| context("time", "is not an RFC 3339 time"))
    }

    /// What is left: CloudEvents extensions. Attributes without the prefix belong to Pub/Sub and are dropped.
    fn extensions(self) -> Result<BTreeMap<String, String>, EnvelopeError> {
        let mut extensions = BTreeMap::new();
        for (name, value) in self.0 {
            let Some(name) = name.strip_prefix("ce-") else { continue };
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
                return Err(context(clip(name), "is not an extension name of a-z 0-9"));
            }
            extensions.insert(name.to_owned(), value);
        }
        Ok(extensions)
    }
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case(JSON) || (media.starts_with("application/") && media.ends_with("+json"))
}

fn context(path: impl Into<String>, problem: impl Into<String>) -> EnvelopeError {
    EnvelopeError::Context(FieldError::new(path, problem))
}

/// The start of a hostile name, short enough for a log line.
fn clip(name: &str) -> String {
    name.chars().take(64).collect()
}
