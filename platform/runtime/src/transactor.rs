//! One transaction and the facts it says: effect and outbox commit together, then the facts are published.

use std::sync::Arc;

use bus::Outgoing;
use events::envelope::SOURCE_PREFIX;
use events::pubsub::Message;
use events::{Event, EventId, FieldError, Origin};
use jiff::Timestamp;
use store::outbox::{self, NewRow};
use store::{Store, StoreError, Tx};

use crate::clock;
use crate::publisher::{Publisher, Row};

/// What a transaction's facts answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The first fact begins a story, the others are caused by it.
    Beginning {
        /// W3C trace context of the request.
        traceparent: Option<String>,
    },
    /// A request about a story that goes on.
    Request {
        /// The story's first event, where it is known.
        correlation_id: Option<EventId>,
        /// W3C trace context of the request.
        traceparent: Option<String>,
    },
    /// Nothing but a moment, which names the first fact: whoever says it for that moment says the same event. The others are caused by it.
    Moment {
        /// The first fact's id, derived from the moment.
        id: EventId,
    },
    /// An event, answered by a reaction: ids derive from it, so that a second run says the same.
    Event {
        /// The event's id.
        id: EventId,
        /// The story's first event.
        correlation_id: EventId,
        /// `consumer.reaction`.
        reaction: String,
        /// W3C trace context of the event.
        traceparent: Option<String>,
    },
}

/// Runs transactions for one service and publishes what they say. Clones are the same.
#[derive(Clone)]
pub struct Transactor {
    source: Arc<str>,
    store: Store,
    publisher: Publisher,
}

impl Transactor {
    /// A transactor for `service`.
    #[must_use]
    pub fn new(service: &str, store: Store, publisher: Publisher) -> Self {
        Self { source: format!("{SOURCE_PREFIX}{service}").into(), store, publisher }
    }

    /// The service's database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The outbox's way out.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Runs `job` and commits its effect with the facts it returns, then publishes them. An `Err` leaves nothing behind.
    ///
    /// A publish that fails is no error: the facts are in the outbox, and the relay sends them.
    ///
    /// # Errors
    /// The job's own; of the database; or a fact out of its own bounds.
    pub async fn run<R, E>(
        &self,
        cause: Cause,
        job: impl FnOnce(&mut Tx<'_>) -> Result<(R, Vec<Event>), E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + From<FieldError> + Send + 'static,
    {
        self.run_at(clock::now_ms(), cause, job).await
    }

    /// As [`Transactor::run`], at a time that is given (Unix milliseconds): rows and facts bear it.
    ///
    /// # Errors
    /// As [`Transactor::run`].
    pub async fn run_at<R, E>(
        &self,
        now_ms: i64,
        cause: Cause,
        job: impl FnOnce(&mut Tx<'_>) -> Result<(R, Vec<Event>), E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + From<FieldError> + Send + 'static,
    {
        let source = Arc::clone(&self.source);
        let (answer, rows) = self
            .store
            .write(now_ms, move |tx| {
                let (answer, facts) = job(tx)?;
                let rows = say::<E>(tx, &source, &cause, facts)?;
                Ok::<_, E>((answer, rows))
            })
            .await?;
        self.publisher.hand_over(rows).await;
        Ok(answer)
    }
}

/// Seals facts and puts them into the outbox, in the transaction of their effect.
///
/// # Errors
/// Of the database, or a fact out of its own bounds.
pub(crate) fn say<E>(tx: &mut Tx<'_>, source: &str, cause: &Cause, facts: Vec<Event>) -> Result<Vec<Row>, E>
where
    E: From<StoreError> + From<FieldError>,
{
    let time = clock::from_ms(tx.now_ms());
    let mut rows = Vec::with_capacity(facts.len());
    let mut first: Option<EventId> = None;
    for (position, fact) in facts.into_iter().enumerate() {
        let (id, origin) = stamp(source, cause, position, time, first.as_ref());
        let topic = fact.topic().name();
        let envelope = fact.seal(id.clone(), &origin)?;
        let (event_type, subject) = (envelope.event_type.clone(), envelope.subject.clone());
        let key = envelope.partition_key.clone();
        let message = Message::from(envelope);
        rows.push(push_row(tx, topic, &key, &id, &event_type, &subject, message)?);
        first.get_or_insert(id);
    }
    Ok(rows)
}

/// Writes one message into the outbox.
///
/// # Errors
/// Of the database.
pub(crate) fn push_row(
    tx: &mut Tx<'_>,
    topic: &str,
    key: &str,
    id: &EventId,
    event_type: &str,
    subject: &str,
    message: Message,
) -> Result<Row, StoreError> {
    let attributes = serde_json::to_string(&message.attributes).expect("a map of strings is always JSON");
    let data = String::from_utf8(message.data).expect("our payloads are JSON text");
    let seq = outbox::push(
        tx,
        &NewRow { topic, key, attributes: &attributes, data: &data, event_id: id.as_str(), event_type, subject },
    )?;
    let outgoing = Outgoing {
        topic: topic.to_owned(),
        ordering_key: String::new(),
        attributes: message.attributes,
        data: data.into_bytes().into(),
    };
    Ok(Row { seq, key: key.to_owned(), outgoing })
}

fn stamp(source: &str, cause: &Cause, position: usize, time: Timestamp, first: Option<&EventId>) -> (EventId, Origin) {
    let (id, correlation_id, causation_id, traceparent) = match cause {
        Cause::Beginning { traceparent } => {
            (EventId::from_uuid(clock::new_id()), first.cloned(), first.cloned(), traceparent)
        }
        Cause::Request { correlation_id, traceparent } => {
            (EventId::from_uuid(clock::new_id()), correlation_id.clone(), correlation_id.clone(), traceparent)
        }
        Cause::Moment { id } => {
            let id = if position == 0 { id.clone() } else { EventId::derived(id, "moment", position) };
            (id, first.cloned(), first.cloned(), &None)
        }
        Cause::Event { id, correlation_id, reaction, traceparent } => {
            (EventId::derived(id, reaction, position), Some(correlation_id.clone()), Some(id.clone()), traceparent)
        }
    };
    let traceparent = traceparent.clone();
    (id, Origin { source: source.to_owned(), time, correlation_id, causation_id, traceparent })
}
