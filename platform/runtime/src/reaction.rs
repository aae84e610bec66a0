//! Event in, events out: what a consumer does about each type.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use events::{Encoded, Envelope, Event, Fact};
use futures::FutureExt;
use futures::future::BoxFuture;
use store::Tx;

use crate::failure::Failure;

/// What one consumer does about one type of event.
///
/// `handle` runs inside the transaction that already claimed the event in the inbox. The facts it returns join the outbox in that
/// same transaction, so either all of it happens or none. It never publishes, commits, sleeps, or reads the clock.
pub trait Reaction: Send + Sync + 'static {
    /// Verb and noun, `commit-stock`; with the consumer's name the key that the ids of its answers derive from.
    const NAME: &'static str;
    /// What it listens to.
    type Event: Fact;

    /// Reads rows, asks `decide`, writes rows, returns facts.
    ///
    /// # Errors
    /// [`Failure::Transient`] to have the event again, [`Failure::Permanent`] to have it put on the dead letter.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<Self::Event>) -> Result<Vec<Event>, Failure>;
}

/// A reaction that has to ask another service first. The question is a read: asking twice changes nothing.
pub trait Inquiry: Send + Sync + 'static {
    /// As [`Reaction::NAME`].
    const NAME: &'static str;
    /// What it listens to.
    type Event: Fact;
    /// What the other service said.
    type Answer: Send + 'static;

    /// Asks, outside any transaction.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the other service cannot answer now.
    fn ask(&self, event: &Envelope<Self::Event>) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;

    /// As [`Reaction::handle`], with the answer at hand.
    ///
    /// # Errors
    /// As [`Reaction::handle`].
    fn handle(
        &self,
        tx: &mut Tx<'_>,
        event: &Envelope<Self::Event>,
        answer: Self::Answer,
    ) -> Result<Vec<Event>, Failure>;
}

/// What is left to do inside the transaction.
pub(crate) type Work = Box<dyn FnOnce(&mut Tx<'_>) -> Result<Vec<Event>, Failure> + Send>;

/// A reaction or inquiry whose type is forgotten.
pub(crate) trait Reactor: Send + Sync {
    fn name(&self) -> &'static str;
    fn prepare(&self, envelope: Envelope<Encoded>) -> BoxFuture<'static, Result<Work, Failure>>;
}

struct Reacting<R>(Arc<R>);

impl<R: Reaction> Reactor for Reacting<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn prepare(&self, envelope: Envelope<Encoded>) -> BoxFuture<'static, Result<Work, Failure>> {
        let reaction = Arc::clone(&self.0);
        let work = envelope
            .decode::<R::Event>()
            .map_err(Failure::from)
            .map(|event| -> Work { Box::new(move |tx| reaction.handle(tx, &event)) });
        std::future::ready(work).boxed()
    }
}

struct Inquiring<I>(Arc<I>);

impl<I: Inquiry> Reactor for Inquiring<I> {
    fn name(&self) -> &'static str {
        I::NAME
    }

    fn prepare(&self, envelope: Envelope<Encoded>) -> BoxFuture<'static, Result<Work, Failure>> {
        let inquiry = Arc::clone(&self.0);
        async move {
            let event = envelope.decode::<I::Event>()?;
            let answer = inquiry.ask(&event).await?;
            let work: Work = Box::new(move |tx| inquiry.handle(tx, &event, answer));
            Ok(work)
        }
        .boxed()
    }
}

/// A consumer: a name from the topology table, and its reactions by event type.
pub struct Consumer {
    name: &'static str,
    reactors: HashMap<&'static str, Box<dyn Reactor>>,
}

impl Consumer {
    /// A consumer that reacts to nothing yet.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, reactors: HashMap::new() }
    }

    /// Adds a reaction. A consumer has one per event type.
    ///
    /// # Panics
    /// When the type has a reaction already: a mistake in the program, found at start.
    #[must_use]
    pub fn on<R: Reaction>(self, reaction: R) -> Self {
        self.add(R::Event::TYPE, Box::new(Reacting(Arc::new(reaction))))
    }

    /// Adds a reaction that asks first.
    ///
    /// # Panics
    /// As [`Consumer::on`].
    #[must_use]
    pub fn on_asking<I: Inquiry>(self, inquiry: I) -> Self {
        self.add(I::Event::TYPE, Box::new(Inquiring(Arc::new(inquiry))))
    }

    fn add(mut self, event_type: &'static str, reactor: Box<dyn Reactor>) -> Self {
        let earlier = self.reactors.insert(event_type, reactor);
        assert!(earlier.is_none(), "{} has two reactions to {event_type}", self.name);
        self
    }

    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The types it reacts to, sorted.
    #[must_use]
    pub fn event_types(&self) -> Vec<&'static str> {
        let mut types: Vec<_> = self.reactors.keys().copied().collect();
        types.sort_unstable();
        types
    }

    pub(crate) fn reactor(&self, event_type: &str) -> Option<&dyn Reactor> {
        self.reactors.get(event_type).map(AsRef::as_ref)
    }
}
