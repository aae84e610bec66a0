//! One pushed event through its consumer: claim, handle, outbox, commit, publish.

use std::convert::Infallible;

use events::pubsub::Message;
use events::{Encoded, Envelope, EventId, personal};
use store::inbox::{self, Receipt};
use store::{Store, StoreError, Tx};
use tracing::{error, warn};

use crate::clock::{self, Stopwatch};
use crate::dead_letter::record;
use crate::failure::Failure;
use crate::metrics::{Counter, Histogram, Metrics};
use crate::publisher::Row;
use crate::reaction::{Consumer, Work};
use crate::transactor::{Cause, Transactor, say};

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
    meters: Meters,
}

/// What is counted of deliveries; nothing unless it is asked for.
struct Meters {
    handled: Counter,
    duplicate: Counter,
    not_for_us: Counter,
    transient: Counter,
    permanent: Counter,
    dead_letters: Counter,
    seconds: Histogram,
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

/// An event whose transaction is all that is left to do.
struct Prepared {
    context: Context,
    reaction: String,
    work: Work,
}

impl Deliveries {
    /// Puts a consumer to work.
    #[must_use]
    pub fn new(consumer: Consumer, transactor: Transactor) -> Self {
        let source = format!("{}{}", events::envelope::SOURCE_PREFIX, consumer.name());
        Self { consumer, transactor, source, meters: Meters::none() }
    }

    /// The same, counted among a service's metrics.
    #[must_use]
    pub fn measured(mut self, metrics: &Metrics) -> Self {
        self.meters = Meters::new(metrics, self.consumer.name());
        self
    }

    /// The consumer's name.
    #[must_use]
    pub fn consumer(&self) -> &'static str {
        self.consumer.name()
    }

    /// The consumer's database.
    pub(crate) fn store(&self) -> &Store {
        self.transactor.store()
    }

    /// Handles one event, however often it comes.
    pub async fn deliver(&self, envelope: Envelope<Encoded>) -> Outcome {
        let watch = Stopwatch::start();
        let outcome = self.handle(envelope).await;
        self.meters.ended(&outcome, watch.elapsed().as_secs_f64());
        outcome
    }

    async fn handle(&self, envelope: Envelope<Encoded>) -> Outcome {
        let kept = envelope.clone();
        let prepared = match self.prepare(envelope).await {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return Outcome::NotForUs,
            Err(failure) => return self.fail(Message::from(kept), failure).await,
        };
        let (consumer, source) = (self.consumer.name(), self.source.clone());
        let job = move |tx: &mut Tx<'_>| prepared.run(tx, consumer, &source);
        match self.transactor.store().write(clock::now_ms(), job).await {
            Ok(Some(rows)) => {
                let said = rows.iter().map(said).collect();
                self.transactor.publisher().hand_over(rows).await;
                Outcome::Handled(said)
            }
            Ok(None) => Outcome::Duplicate,
            Err(failure) => self.fail(Message::from(kept), failure).await,
        }
    }

    /// Does everything a delivery does, up to the commit, and takes it all back: what would become of the event now? Nothing is
    /// written, recorded or published.
    pub async fn rehearse(&self, envelope: Envelope<Encoded>) -> Outcome {
        let prepared = match self.prepare(envelope).await {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return Outcome::NotForUs,
            Err(failure) => return failure.into(),
        };
        let (consumer, source) = (self.consumer.name(), self.source.clone());
        let job = move |tx: &mut Tx<'_>| -> Result<Infallible, TakenBack> {
            // Whatever came of it is an error to the store, which is what makes it roll back.
            Err(TakenBack(match prepared.run(tx, consumer, &source) {
                Ok(Some(rows)) => Outcome::Handled(rows.iter().map(said).collect()),
                Ok(None) => Outcome::Duplicate,
                Err(failure) => failure.into(),
            }))
        };
        match self.transactor.store().write(clock::now_ms(), job).await {
            Ok(never) => match never {},
            Err(TakenBack(outcome)) => outcome,
        }
    }

    /// Decodes, and asks other services what the reaction has to know. `None`: not for this consumer.
    async fn prepare(&self, envelope: Envelope<Encoded>) -> Result<Option<Prepared>, Failure> {
        if envelope.replay_target.as_deref().is_some_and(|target| target != self.consumer.name()) {
            return Ok(None);
        }
        let Some(reactor) = self.consumer.reactor(&envelope.event_type) else {
            envelope.check_version()?;
            return Ok(None);
        };
        let context = Context::of(&envelope);
        let reaction = format!("{}.{}", self.consumer.name(), reactor.name());
        let work = reactor.prepare(envelope).await?;
        Ok(Some(Prepared { context, reaction, work }))
    }

    /// Keeps the reason; a permanent failure also puts the message on the dead-letter topic, both in one transaction.
    pub(crate) async fn fail(&self, message: Message, failure: Failure) -> Outcome {
        let consumer = self.consumer.name();
        let event_id = message.attributes.get("ce-id").cloned().unwrap_or_default();
        // Reasons are made without values, and shown as all free text is.
        let reason = personal::text(failure.reason());
        let recorded = {
            let failure = failure.clone();
            self.transactor.store().write(clock::now_ms(), move |tx| record(tx, consumer, message, &failure)).await
        };
        match (recorded, failure) {
            (Ok(row), failure @ Failure::Permanent { .. }) => {
                error!(consumer, event.id = event_id, code = failure.code(), reason, "dead letter");
                self.meters.dead_letters.increment(1);
                self.transactor.publisher().hand_over(row.into_iter().collect()).await;
                Outcome::Permanent(failure)
            }
            (Ok(_), failure) => {
                warn!(consumer, event.id = event_id, code = failure.code(), reason, "not now");
                Outcome::Transient(failure)
            }
            (Err(lost), failure) => {
                // Without its record a dead letter could vanish: have the event again instead.
                warn!(consumer, event.id = event_id, code = failure.code(), reason,
                      cause = %lost, "failed, and the failure could not be recorded");
                Outcome::Transient(Failure::from(lost))
            }
        }
    }
}

impl Meters {
    fn none() -> Self {
        let none = Counter::noop;
        Self {
            handled: none(),
            duplicate: none(),
            not_for_us: none(),
            transient: none(),
            permanent: none(),
            dead_letters: none(),
            seconds: Histogram::noop(),
        }
    }

    fn new(metrics: &Metrics, consumer: &'static str) -> Self {
        let outcome = |outcome: &'static str| {
            let labels = [("consumer", consumer), ("outcome", outcome)];
            metrics.counter("boutique_deliveries_total", "Deliveries by outcome.", &labels)
        };
        let of_consumer = [("consumer", consumer)];
        Self {
            handled: outcome("handled"),
            duplicate: outcome("duplicate"),
            not_for_us: outcome("not_for_us"),
            transient: outcome("transient"),
            permanent: outcome("permanent"),
            dead_letters: metrics.counter("boutique_dead_letters_total", "Dead letters written.", &of_consumer),
            seconds: metrics.seconds("boutique_delivery_seconds", "How long deliveries took.", &of_consumer),
        }
    }

    fn ended(&self, outcome: &Outcome, seconds: f64) {
        let counter = match outcome {
            Outcome::Handled(_) => &self.handled,
            Outcome::Duplicate => &self.duplicate,
            Outcome::NotForUs => &self.not_for_us,
            Outcome::Transient(_) => &self.transient,
            Outcome::Permanent(_) => &self.permanent,
        };
        counter.increment(1);
        self.seconds.record(seconds);
    }
}

/// A rehearsal's outcome on its way through the store, which rolls back what ends in an error.
struct TakenBack(Outcome);

impl From<StoreError> for TakenBack {
    fn from(error: StoreError) -> Self {
        Self(Failure::from(error).into())
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient { .. } => Outcome::Transient(failure),
            Failure::Permanent { .. } => Outcome::Permanent(failure),
        }
    }
}

impl Prepared {
    /// Claims the event, reacts to it and says what follows, all in one transaction. `None`: it was claimed before.
    fn run(self, tx: &mut Tx<'_>, consumer: &str, source: &str) -> Result<Option<Vec<Row>>, Failure> {
        let Self { context, reaction, work } = self;
        if !context.claim(tx, consumer)? {
            return Ok(None);
        }
        let facts = work(tx)?;
        say::<Failure>(tx, source, &context.cause(reaction), facts).map(Some)
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
