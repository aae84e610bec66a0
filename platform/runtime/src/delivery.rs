//! One pushed event through its consumer: claim, handle, outbox, commit, publish.

use events::pubsub::Message;
use events::topology;
use events::{Encoded, Envelope, EventId};
use store::attempts::{self, Attempt};
use store::inbox::{self, Receipt};
use store::{StoreError, Tx};
use tracing::{error, warn};

use crate::clock;
use crate::failure::{Failure, fingerprint};
use crate::publisher::Row;
use crate::reaction::Consumer;
use crate::transactor::{Cause, Transactor, push_row, say};

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; these were said, in order.
    Handled(Vec<Message>),
    /// It was done before.
    Duplicate,
    /// This consumer does not react to the type, or the replay is meant for another.
    NotForUs,
    /// Not done; wants to be delivered again.
    Transient(Failure),
    /// Not done and never will be as things are; it is on the dead-letter topic.
    Permanent(Failure),
}

/// A consumer at work on a database.
pub struct Deliveries {
    consumer: Consumer,
    transactor: Transactor,
    source: String,
}

/// What is kept of an event while its envelope is inside the reaction.
struct Context {
    id: EventId,
    source: String,
    event_type: String,
    subject: String,
    key: String,
    correlation_id: EventId,
    traceparent: Option<String>,
}

impl Deliveries {
    /// Puts a consumer to work.
    #[must_use]
    pub fn new(consumer: Consumer, transactor: Transactor) -> Self {
        let source = format!("{}{}", events::envelope::SOURCE_PREFIX, consumer.name());
        Self { consumer, transactor, source }
    }

    /// The consumer's name.
    #[must_use]
    pub fn consumer(&self) -> &'static str {
        self.consumer.name()
    }

    /// Handles one event, however often it comes.
    pub async fn deliver(&self, envelope: Envelope<Encoded>) -> Outcome {
        if envelope.replay_target.as_deref().is_some_and(|target| target != self.consumer.name()) {
            return Outcome::NotForUs;
        }
        let Some(reactor) = self.consumer.reactor(&envelope.event_type) else {
            return match envelope.check_version() {
                Ok(()) => Outcome::NotForUs,
                Err(newer) => self.fail(Message::from(envelope), newer.into()).await,
            };
        };
        let context = Context::of(&envelope);
        let kept = envelope.clone();
        let work = match reactor.prepare(envelope).await {
            Ok(work) => work,
            Err(failure) => return self.fail(Message::from(kept), failure).await,
        };
        let reaction = format!("{}.{}", self.consumer.name(), reactor.name());
        let (consumer, source) = (self.consumer.name(), self.source.clone());
        let done = self
            .transactor
            .store()
            .write(clock::now_ms(), move |tx| {
                if !context.claim(tx, consumer)? {
                    return Ok(None);
                }
                let facts = work(tx)?;
                let rows = say::<Failure>(tx, &source, &context.cause(reaction), facts)?;
                Ok::<_, Failure>(Some(rows))
            })
            .await;
        match done {
            Ok(Some(rows)) => {
                let said = rows.iter().map(said).collect();
                self.transactor.publisher().hand_over(rows).await;
                Outcome::Handled(said)
            }
            Ok(None) => Outcome::Duplicate,
            Err(failure) => self.fail(Message::from(kept), failure).await,
        }
    }

    /// Keeps the reason; a permanent failure also puts the message on the dead-letter topic, both in one transaction.
    pub(crate) async fn fail(&self, message: Message, failure: Failure) -> Outcome {
        let consumer = self.consumer.name();
        let event_id = message.attributes.get("ce-id").cloned().unwrap_or_default();
        let recorded = {
            let failure = failure.clone();
            self.transactor.store().write(clock::now_ms(), move |tx| record(tx, consumer, message, &failure)).await
        };
        match (recorded, failure) {
            (Ok(row), failure @ Failure::Permanent { .. }) => {
                error!(consumer, event.id = event_id, code = failure.code(), reason = failure.reason(), "dead letter");
                self.transactor.publisher().hand_over(row.into_iter().collect()).await;
                Outcome::Permanent(failure)
            }
            (Ok(_), failure) => {
                warn!(consumer, event.id = event_id, code = failure.code(), reason = failure.reason(), "not now");
                Outcome::Transient(failure)
            }
            (Err(lost), failure) => {
                // Without its record a dead letter could vanish: have the event again instead.
                warn!(consumer, event.id = event_id, code = failure.code(), reason = failure.reason(),
                      cause = %lost, "failed, and the failure could not be recorded");
                Outcome::Transient(Failure::from(lost))
            }
        }
    }
}

impl Context {
    fn of(envelope: &Envelope<Encoded>) -> Self {
        Self {
            id: envelope.id.clone(),
            source: envelope.source.clone(),
            event_type: envelope.event_type.clone(),
            subject: envelope.subject.clone(),
            key: envelope.partition_key.clone(),
            correlation_id: envelope.correlation_id.clone(),
            traceparent: envelope.traceparent.clone(),
        }
    }

    fn claim(&self, tx: &mut Tx<'_>, consumer: &str) -> Result<bool, StoreError> {
        tx.lock(&self.key)?;
        let receipt = Receipt {
            consumer,
            source: &self.source,
            id: self.id.as_str(),
            event_type: &self.event_type,
            subject: &self.subject,
        };
        inbox::claim(tx, &receipt)
    }

    fn cause(&self, reaction: String) -> Cause {
        Cause::Event {
            id: self.id.clone(),
            correlation_id: self.correlation_id.clone(),
            reaction,
            traceparent: self.traceparent.clone(),
        }
    }
}

fn said(row: &Row) -> Message {
    Message { attributes: row.outgoing.attributes.clone(), data: row.outgoing.data.to_vec() }
}

fn record(tx: &mut Tx<'_>, consumer: &str, message: Message, failure: &Failure) -> Result<Option<Row>, StoreError> {
    let (code, reason) = (failure.code(), failure.reason());
    let fingerprint = fingerprint(code, reason);
    let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
    let (event_id, event_type, subject) = (attribute("ce-id"), attribute("ce-type"), attribute("ce-subject"));
    let key = attribute("ce-partitionkey");
    let permanent = matches!(failure, Failure::Permanent { .. });
    let attempt = Attempt {
        consumer,
        event_id: &event_id,
        event_type: &event_type,
        kind: if permanent { "permanent" } else { "transient" },
        code,
        fingerprint: &fingerprint,
        reason,
        at_ms: tx.now_ms(),
    };
    let number = attempts::record(tx, &attempt)?;
    if !permanent {
        return Ok(None);
    }
    let mut letter = message;
    let notes = [
        ("dlconsumer", consumer.to_owned()),
        ("dlcode", code.to_owned()),
        ("dlreason", reason.to_owned()),
        ("dlfingerprint", fingerprint),
        ("dlattempts", number.to_string()),
    ];
    letter.attributes.extend(notes.map(|(name, value)| (name.to_owned(), value)));
    if std::str::from_utf8(&letter.data).is_err() {
        letter.data = String::from_utf8_lossy(&letter.data).into_owned().into_bytes();
    }
    let id = EventId::from_uuid(events::id::derived("dead-letter", &format!("{consumer}/{event_id}/{number}")));
    push_row(tx, &topology::dead_letters(consumer), &key, &id, &event_type, &subject, letter).map(Some)
}
