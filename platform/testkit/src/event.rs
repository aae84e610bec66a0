//! Events as another service would have said them.

use events::id::derived;
use events::pubsub::Message;
use events::{Encoded, Envelope, Event, EventId, Fact, Origin, Timestamp};

/// The time tests begin at: 2026-01-01T00:00:00Z in milliseconds.
pub const T0: i64 = 1_767_225_600_000;

/// An event under construction.
pub struct EventBuilder {
    fact: Event,
    type_name: &'static str,
    service: String,
    time_ms: i64,
    number: u32,
}

/// `fact` said by checkout at [`T0`]. The same fact gives the same event id; [`EventBuilder::number`] makes another.
pub fn event<F: Fact>(fact: F) -> EventBuilder {
    EventBuilder { fact: fact.into(), type_name: F::TYPE, service: "checkout".to_owned(), time_ms: T0, number: 0 }
}

impl EventBuilder {
    /// Said by another service.
    #[must_use]
    pub fn from(mut self, service: &str) -> Self {
        service.clone_into(&mut self.service);
        self
    }

    /// Said at another time, in milliseconds.
    #[must_use]
    pub fn at(mut self, time_ms: i64) -> Self {
        self.time_ms = time_ms;
        self
    }

    /// Another event with the same fact.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    /// The envelope.
    ///
    /// # Panics
    /// When the fact is out of its own bounds.
    pub fn seal(self) -> Envelope<Encoded> {
        let key = format!("{}/{}/{}/{}", self.type_name, self.service, self.number, self.fact.data().0);
        let id = EventId::from_uuid(derived("test-event", &key));
        let origin = Origin {
            source: format!("//onlineboutique.com/{}", self.service),
            time: Timestamp::from_millisecond(self.time_ms).expect("a time"),
            correlation_id: Some(EventId::from_uuid(derived("test-story", "one"))),
            causation_id: Some(EventId::from_uuid(derived("test-story", "one"))),
            traceparent: None,
        };
        self.fact.seal(id, &origin).expect("a test's fact is within its bounds")
    }
}

/// The facts of type `F` among messages, in order.
///
/// # Panics
/// When a message of that type does not decode: a publisher said something it must not.
pub fn facts_of<F: Fact>(messages: &[Message]) -> Vec<F> {
    messages
        .iter()
        .filter(|message| message.attributes.get("ce-type").is_some_and(|wire| wire == F::TYPE))
        .map(|message| Envelope::try_from(message.clone()).expect("an envelope").decode::<F>().expect("a fact").data)
        .collect()
}
