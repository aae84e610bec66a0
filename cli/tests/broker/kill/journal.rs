//! What the publishers and subscribers saw, in the order they saw it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use google_cloud_googleapis::pubsub::v1::PubsubMessage;

/// Streams from this one on are ordering keys.
pub(crate) const FIRST_KEY: u64 = 100;

/// A message as its publisher knows it: whose it is and the how manieth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) stream: u64,
    pub(crate) number: u64,
}

impl Name {
    /// Reads it from a message's attributes.
    pub(crate) fn of<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> Name {
        let read = |key: &str| attribute(key).and_then(|value| value.parse().ok()).expect("what was published");
        Name { stream: read("stream"), number: read("number") }
    }

    pub(crate) fn message(self, payload_bytes: usize) -> PubsubMessage {
        let attributes = [("stream", self.stream), ("number", self.number)];
        let ordering_key = if self.has_key() { format!("key-{}", self.stream) } else { String::new() };
        PubsubMessage {
            data: vec![b'x'; payload_bytes],
            attributes: HashMap::from(attributes.map(|(key, value)| (key.to_owned(), value.to_string()))),
            ordering_key,
            ..Default::default()
        }
    }

    pub(crate) fn has_key(self) -> bool {
        self.stream >= FIRST_KEY
    }

    /// Whether the endpoint never takes it where it could become a dead letter.
    pub(crate) fn is_poison(self) -> bool {
        self.number % 40 == 7
    }
}

/// What was published.
#[derive(Default)]
pub(crate) struct Published {
    /// Numbers begun with.
    pub(crate) begun: AtomicU64,
    answered: Mutex<Vec<(u64, Name)>>,
}

impl Published {
    pub(crate) fn begin(&self, count: usize) {
        self.begun.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, messages: impl Iterator<Item = (u64, Name)>) {
        lock(&self.answered).extend(messages);
    }

    /// Ids as they were answered, and what they stand for.
    pub(crate) fn all(&self) -> Vec<(u64, Name)> {
        lock(&self.answered).clone()
    }
}

/// Something a subscriber saw or did.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// A message arrived. It was asked for when there were `asked_at` events; pushes are not asked for.
    Delivered { id: u64, name: Name, asked_at: usize },
    /// An ack is about to be sent.
    AckSent(u64),
    /// An ack was answered.
    AckAnswered(u64),
}

/// The events of one subscription.
#[derive(Default)]
pub(crate) struct Journal(Mutex<Vec<Event>>);

impl Journal {
    /// How many events there are.
    pub(crate) fn now(&self) -> usize {
        lock(&self.0).len()
    }

    pub(crate) fn note(&self, events: impl IntoIterator<Item = Event>) {
        lock(&self.0).extend(events);
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        lock(&self.0).clone()
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
