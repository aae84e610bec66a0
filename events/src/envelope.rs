//! The CloudEvents context around a fact.
//!
//! An [`Envelope<Encoded>`] came from the wire or is about to go there; [`Envelope::decode`] gives it a type. The context
//! is CloudEvents 1.0 with the extensions of `ARCHITECTURE.md`, "Events".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::fact::{Fact, FieldError};
use crate::id::EventId;
use crate::topology;

/// The prefix of every source: `//onlineboutique.com/<service>`.
pub const SOURCE_PREFIX: &str = "//onlineboutique.com/";
/// The largest payload accepted, in bytes. Pub/Sub takes 10 MB; our largest fact is below 32 KB.
pub const MAX_DATA_BYTES: usize = 256 * 1024;
/// The longest context attribute accepted, in bytes. From Pub/Sub's limit on attribute values.
pub const MAX_ATTRIBUTE_BYTES: usize = 1024;

/// The most of a hostile text that an error repeats, in characters: path and problem together stay below
/// [`MAX_ATTRIBUTE_BYTES`] when every character takes four bytes.
pub const MAX_QUOTED_CHARS: usize = 120;

/// A payload as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded(pub String);

/// A fact with its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<E> {
    /// Minted once in the outbox row; never changed by retry or replay.
    pub id: EventId,
    /// Who said it, as `//onlineboutique.com/<service>`. With `id`, the key of deduplication.
    pub source: String,
    /// Wire type, `com.onlineboutique.<subject>.<fact>.v<major>`.
    pub event_type: String,
    /// What it is about, `orders/{orderId}`.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// The order id.
    pub partition_key: String,
    /// Id of the event that began the story.
    pub correlation_id: EventId,
    /// Id of the event that caused this one; absent for the first.
    pub causation_id: Option<EventId>,
    /// W3C trace context of the trace that made the event.
    pub traceparent: Option<String>,
    /// The replay that sent it again, if one did.
    pub replay_id: Option<String>,
    /// The one consumer a replay is meant for.
    pub replay_target: Option<String>,
    /// Values subscriptions filter by (`ledger`, `risk`), and extensions of others, kept as they came.
    pub extensions: BTreeMap<String, String>,
    /// The fact.
    pub data: E,
}

/// Where an event comes from: what a service adds to a fact when it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who says it, as `//onlineboutique.com/<service>`.
    pub source: String,
    /// When it happened.
    pub time: Timestamp,
    /// Id of the event that began the story; `None` for that event itself.
    pub correlation_id: Option<EventId>,
    /// Id of the event that is answered.
    pub causation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Why bytes are not an event of ours. Permanent: the same bytes fail again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A required context attribute is not there. Mend the publisher.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A context attribute breaks its rule. Mend the publisher.
    #[error("{0}")]
    Context(FieldError),
    /// The payload does not fit its type. Mend the publisher, or the schema.
    #[error("{0}")]
    Data(FieldError),
    /// The payload is too large. Mend the publisher.
    #[error("data is {0} bytes, more than {MAX_DATA_BYTES}")]
    TooLarge(usize),
    /// The payload's major version is newer than this program. Deploy the newer consumer, then replay.
    #[error("type {0} is newer than the version {1} this program knows")]
    Newer(String, u32),
}

impl EnvelopeError {
    /// Stable code for dead letters and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            EnvelopeError::Missing(_) | EnvelopeError::Context(_) => "bad_envelope",
            EnvelopeError::Data(_) | EnvelopeError::TooLarge(_) => "bad_payload",
            EnvelopeError::Newer(..) => "newer_version",
        }
    }
}

impl<E> Envelope<E> {
    /// The service that said it: `checkout` for `//onlineboutique.com/checkout`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.source.strip_prefix(SOURCE_PREFIX).unwrap_or(&self.source)
    }

    /// The same context around other data.
    pub fn with_data<F>(self, data: F) -> Envelope<F> {
        Envelope {
            id: self.id,
            source: self.source,
            event_type: self.event_type,
            subject: self.subject,
            time: self.time,
            partition_key: self.partition_key,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            traceparent: self.traceparent,
            replay_id: self.replay_id,
            replay_target: self.replay_target,
            extensions: self.extensions,
            data,
        }
    }
}

impl Envelope<Encoded> {
    /// Decodes and checks the payload.
    ///
    /// # Errors
    /// [`EnvelopeError::Data`] with the path of the offending field.
    pub fn decode<F: Fact>(self) -> Result<Envelope<F>, EnvelopeError> {
        // The decoder would take an array of the members' values, too.
        if self.data.0.trim_ascii_start().starts_with('[') {
            return Err(EnvelopeError::Data(FieldError::new("data", "is not an object")));
        }
        let fact = F::decode(&self.data.0).map_err(EnvelopeError::Data)?;
        fact.check().map_err(EnvelopeError::Data)?;
        if let Some(order_id) = fact.order_id()
            && order_id.as_str() != self.partition_key
        {
            return Err(EnvelopeError::Context(FieldError::new("partitionkey", "is not the order id of the data")));
        }
        Ok(self.with_data(fact))
    }

    /// Refuses a known fact of a major version newer than ours.
    ///
    /// # Errors
    /// [`EnvelopeError::Newer`]; unknown facts are not an error, they are simply not for us.
    pub fn check_version(&self) -> Result<(), EnvelopeError> {
        match topology::known_version(&self.event_type) {
            Some((known, wanted)) if wanted > known => Err(EnvelopeError::Newer(self.event_type.clone(), known)),
            _ => Ok(()),
        }
    }
}

/// Decodes again with a record of where it is: slower, so only once it is known to fail.
pub(crate) fn offending_field<F: DeserializeOwned>(json: &str) -> FieldError {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    match serde_path_to_error::deserialize::<_, F>(&mut deserializer) {
        Ok(_) => FieldError::new("data", "has bytes after its end"),
        Err(error) => {
            let path = format!("data.{}", error.path());
            let error = error.inner();
            let problem = match error.classify() {
                serde_json::error::Category::Data => without_values(&error.to_string()),
                _ => error.to_string(),
            };
            FieldError::new(clip(&path), clip(&problem))
        }
    }
}

/// A decoder's words without the value it complains about, which may be a person's: what stands between the kind of the problem and the
/// last thing expected is left out, whatever it is made of.
fn without_values(problem: &str) -> String {
    for kind in ["invalid type: ", "invalid value: ", "unknown variant ", "unknown field "] {
        let Some(rest) = problem.strip_prefix(kind) else { continue };
        let (said, expected) = rest.rfind(EXPECTED).map_or((rest, ""), |at| rest.split_at(at));
        let shape = said.split(QUOTES).next().unwrap_or_default().trim_end();
        let space = if shape.is_empty() { "" } else { " " };
        return match said.contains(QUOTES) {
            true => format!("{kind}{shape}{space}{LEFT_OUT}{expected}"),
            false => format!("{kind}{shape}{expected}"),
        };
    }
    // Of these the name is the type's own.
    if problem.starts_with("missing field") || problem.starts_with("duplicate field") {
        return problem.to_owned();
    }
    match (problem.find(QUOTES), problem.rfind(QUOTES)) {
        (Some(first), Some(last)) => format!("{}{LEFT_OUT}{}", &problem[..first], &problem[last + 1..]),
        _ => problem.to_owned(),
    }
}

/// Stands for a value that is not repeated.
const LEFT_OUT: &str = "…";
/// What a decoder puts around values.
const QUOTES: [char; 2] = ['"', '`'];
/// What a decoder says after the value.
const EXPECTED: &str = ", expected ";

/// The start of a hostile text on one line, short enough for a log line and an attribute.
pub(crate) fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_QUOTED_CHARS).collect()
}
