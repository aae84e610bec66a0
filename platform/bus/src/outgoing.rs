//! A message on its way out, and the one thing a bus does.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::BoxFuture;

/// A message for a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Short topic name, `order-events`.
    pub topic: String,
    /// Ordering key; empty for none, at most 1 KB.
    pub ordering_key: String,
    /// At most 100, names up to 256 bytes, values up to 1,024 bytes.
    pub attributes: BTreeMap<String, String>,
    /// At most 10 MB.
    pub data: Bytes,
}

/// Whether Pub/Sub has the message.
pub type Published = Result<(), BusError>;

/// Why a message may not have been published. It may have been all the same: publish it again, consumers drop duplicates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Pub/Sub could not be reached or did not answer in time. The outbox keeps the message and tries again.
    #[error("pub/sub did not take the message: {0}")]
    Unavailable(String),
    /// Pub/Sub refused the message: a missing topic, no permission, or a limit. Trying again helps once that is mended.
    #[error("pub/sub refused the message: {0}")]
    Refused(String),
    /// The bus is shutting down. The outbox keeps the message for the next start.
    #[error("the bus is closed")]
    Closed,
}

/// A way to publish.
pub trait Bus: Send + Sync + 'static {
    /// Publishes `batch` and answers for each message, in the order given, once Pub/Sub has it or has not.
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>>;
}
