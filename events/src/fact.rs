//! What every fact has, and a fact on its way out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::envelope::{Encoded, Envelope, Origin};
use crate::id::{EventId, OrderId};
use crate::topology::Topic;

/// A field that breaks its rule. Permanent: the same bytes will break it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FieldError {
    /// Where the field is, as in `lines[0].quantity`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FieldError {
    /// A field error at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

/// Something that happened, in the past tense.
pub trait Fact: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Wire type: `com.onlineboutique.<subject>.<fact>.v<major>`.
    const TYPE: &'static str;
    /// The topic it is said on.
    const TOPIC: Topic;

    /// The order it is about. `None` only for facts of the platform itself.
    fn order_id(&self) -> Option<&OrderId>;

    /// The payload as JSON text.
    fn encode(&self) -> String;

    /// The payload from JSON text, its bounds not yet checked.
    ///
    /// # Errors
    /// [`FieldError`] with the path of the field at fault.
    fn decode(json: &str) -> Result<Self, FieldError>;

    /// Bounds that the types alone do not hold.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    /// Values that subscriptions filter by; they travel as CloudEvents extension attributes.
    fn extensions(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// A fact about to be said: encoded, but not yet sealed with an id, a time and a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    event_type: &'static str,
    topic: Topic,
    key: String,
    /// The story it belongs to, where that is not its cause's.
    story: Option<EventId>,
    extensions: BTreeMap<String, String>,
    data: Encoded,
    flaw: Option<FieldError>,
}

impl<F: Fact> From<F> for Event {
    fn from(fact: F) -> Self {
        Self {
            event_type: F::TYPE,
            topic: F::TOPIC,
            key: fact.order_id().map_or_else(|| "platform".to_owned(), |id| id.as_str().to_owned()),
            story: None,
            extensions: fact.extensions(),
            data: Encoded(fact.encode()),
            flaw: fact.check().err(),
        }
    }
}

impl Event {
    /// Wire type.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.event_type
    }

    /// The topic it goes to.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// The payload.
    #[must_use]
    pub fn data(&self) -> &Encoded {
        &self.data
    }

    /// The fact as a part of the story that the event `first` began. For facts whose cause belongs to no story, as a minute that ended;
    /// the others take their cause's.
    #[must_use]
    pub fn in_story(mut self, first: Option<EventId>) -> Self {
        self.story = first;
        self
    }

    /// Gives the fact its id, time and cause. From here on nothing about it changes.
    ///
    /// # Errors
    /// [`FieldError`] when the fact breaks its own bounds: what we say is validated before anybody can hear it.
    pub fn seal(self, id: EventId, origin: &Origin) -> Result<Envelope<Encoded>, FieldError> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        Ok(Envelope {
            correlation_id: self.story.or_else(|| origin.correlation_id.clone()).unwrap_or_else(|| id.clone()),
            causation_id: origin.causation_id.clone(),
            id,
            source: origin.source.clone(),
            event_type: self.event_type.to_owned(),
            subject: if self.topic == Topic::Clock { "clock".to_owned() } else { format!("orders/{}", self.key) },
            time: origin.time,
            partition_key: self.key,
            traceparent: origin.traceparent.clone(),
            replay_id: None,
            replay_target: None,
            extensions: self.extensions,
            data: self.data,
        })
    }
}

/// The two methods that turn a fact into JSON and back. They are written out for each fact, so that their code is compiled once,
/// here, and not again in every crate that says or hears it.
macro_rules! json {
    () => {
        fn encode(&self) -> String {
            serde_json::to_string(self).expect("a fact has only string keys and finite numbers")
        }

        fn decode(json: &str) -> Result<Self, $crate::fact::FieldError> {
            serde_json::from_str(json).map_err(|_| $crate::envelope::offending_field::<Self>(json))
        }
    };
}
pub(crate) use json;

/// Implements [`Fact`] for a payload struct with an `order_id` field.
macro_rules! fact {
    ($name:ident, $wire:literal, $topic:ident $(, check: $check:expr)? $(, extensions: $extensions:expr)?) => {
        impl $crate::fact::Fact for $name {
            const TYPE: &'static str = concat!("com.onlineboutique.", $wire);
            const TOPIC: $crate::topology::Topic = $crate::topology::Topic::$topic;

            fn order_id(&self) -> Option<&$crate::id::OrderId> {
                Some(&self.order_id)
            }

            $crate::fact::json!();

            $(fn check(&self) -> Result<(), $crate::fact::FieldError> {
                let check: fn(&Self) -> Result<(), $crate::fact::FieldError> = $check;
                check(self)
            })?

            $(fn extensions(&self) -> std::collections::BTreeMap<String, String> {
                let extensions: fn(&Self) -> [(&'static str, &'static str); 1] = $extensions;
                extensions(self).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            })?
        }
    };
}
pub(crate) use fact;
