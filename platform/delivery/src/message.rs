//! What a backlog has to know of a message.

/// A published message, wherever it is kept.
pub trait Message {
    /// Given at publish; rises with every message of a topic.
    fn id(&self) -> u64;
    /// Hash of the ordering key, 0 without one.
    fn key(&self) -> u64;
    /// Time of publish in milliseconds since the Unix epoch.
    fn publish_ms(&self) -> u64;
    /// Size, for flow control.
    fn bytes(&self) -> u32;
}
