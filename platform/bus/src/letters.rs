//! The other direction: messages taken from a pull subscription one bounded handful at a time, each acked by whoever took it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::outgoing::BusError;

/// A message that was pulled.
#[derive(Debug)]
pub struct Letter {
    /// Pub/Sub's id of it: the same however often it is delivered.
    pub message_id: String,
    /// When Pub/Sub took it, in milliseconds since the Unix epoch.
    pub published_at_ms: i64,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Its data.
    pub data: Bytes,
    /// What settles it.
    pub receipt: Receipt,
}

/// Settles a message. Dropped without [`Receipt::ack`], Pub/Sub delivers the message again.
pub struct Receipt(Option<Box<dyn FnOnce(bool) + Send>>);

impl Receipt {
    /// A receipt that calls `settle` once: true for an ack, false for a drop.
    pub fn new(settle: impl FnOnce(bool) + Send + 'static) -> Self {
        Self(Some(Box::new(settle)))
    }

    /// The message is kept elsewhere and need not come again. It may all the same.
    pub fn ack(mut self) {
        if let Some(settle) = self.0.take() {
            settle(true);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(settle) = self.0.take() {
            settle(false);
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// A way to take messages from pull subscriptions.
pub trait Letters: Send + Sync + 'static {
    /// Takes up to `most` messages of `subscription` (a short name), waiting at most `patience` for the first. None is no error.
    ///
    /// One call at a time for each subscription.
    ///
    /// # Errors
    /// [`BusError`] when the subscription is missing or cannot be reached; ask again later.
    fn pull<'a>(
        &'a self,
        subscription: &'a str,
        most: usize,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Vec<Letter>, BusError>>;
}
