//! Pub/Sub's own limits, from <https://cloud.google.com/pubsub/quotas> and the API reference.

/// Messages in one publish request.
pub(super) const PUBLISH_MESSAGES: usize = 1_000;
/// Bytes of one publish request, and of one message.
pub(super) const PUBLISH_BYTES: usize = 10_000_000;
/// Attributes of one message.
pub(super) const ATTRIBUTES: usize = 100;
/// Bytes of an attribute's key.
pub(super) const ATTRIBUTE_KEY_BYTES: usize = 256;
/// Bytes of an attribute's value.
pub(super) const ATTRIBUTE_VALUE_BYTES: usize = 1_024;
/// Bytes of an ordering key.
pub(super) const ORDERING_KEY_BYTES: usize = 1_024;
/// Characters of a resource's id.
pub(super) const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=255;
/// Seconds of an ack deadline.
pub(super) const ACK_DEADLINE_S: std::ops::RangeInclusive<i32> = 10..=600;
/// Seconds of an ack deadline when none is given.
pub(super) const ACK_DEADLINE_DEFAULT_S: i32 = 10;
/// Delivery attempts before a dead letter.
pub(super) const DELIVERY_ATTEMPTS: std::ops::RangeInclusive<u16> = 5..=100;
/// Delivery attempts when a dead-letter policy gives none.
pub(super) const DELIVERY_ATTEMPTS_DEFAULT: u16 = 5;
/// Seconds a subscription may keep messages.
pub(super) const RETENTION_S: std::ops::RangeInclusive<i64> = 600..=31 * 86_400;
/// Seconds a subscription keeps messages when nothing is said.
pub(super) const RETENTION_DEFAULT_S: i64 = 7 * 86_400;
/// The longest wait a retry policy may ask for, in milliseconds.
pub(super) const RETRY_MS: u64 = 600_000;
/// First and longest wait after a failed push, in milliseconds.
pub(super) const PUSH_BACKOFF_MS: (u64, u64) = (100, 60_000);
/// Pushes of one subscription in flight, at most. The service has 3,000 times as many; a simulation has one thread.
pub(super) const PUSH_WINDOW: usize = 64;
/// Messages one pull answers with.
pub(super) const PULL_MESSAGES: usize = 1_000;
/// Messages of one ordering key in one pull answer, as the broker gives them.
pub(super) const PULL_MESSAGES_PER_KEY: usize = 100;
/// Milliseconds between two looks for messages past their retention.
pub(super) const PURGE_MS: u64 = 60_000;
/// Names on one page of a list, at most and when nothing is said.
pub(super) const PAGE: usize = 1_000;
