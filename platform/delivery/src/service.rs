//! Google Pub/Sub's own limits and defaults, from <https://cloud.google.com/pubsub/quotas> and the API reference.

use std::ops::RangeInclusive;

/// Messages in one publish request.
pub const PUBLISH_MESSAGES: usize = 1_000;
/// Bytes of one publish request, and of one message.
pub const PUBLISH_BYTES: usize = 10_000_000;
/// Attributes of one message.
pub const ATTRIBUTES: usize = 100;
/// Bytes of an attribute's key.
pub const ATTRIBUTE_KEY_BYTES: usize = 256;
/// Bytes of an attribute's value.
pub const ATTRIBUTE_VALUE_BYTES: usize = 1_024;
/// Bytes of an ordering key.
pub const ORDERING_KEY_BYTES: usize = 1_024;
/// Seconds of an ack deadline.
pub const ACK_DEADLINE_SECONDS: RangeInclusive<i32> = 10..=600;
/// Seconds of an ack deadline when none is given.
pub const ACK_DEADLINE_DEFAULT_SECONDS: i32 = 10;
/// Delivery attempts before a dead letter.
pub const DELIVERY_ATTEMPTS: RangeInclusive<u16> = 5..=100;
/// Delivery attempts when a dead-letter policy gives none.
pub const DELIVERY_ATTEMPTS_DEFAULT: u16 = 5;
/// Seconds a subscription may keep unacked messages: ten minutes to 31 days.
pub const RETENTION_SECONDS: RangeInclusive<i64> = 600..=31 * 86_400;
/// Seconds a subscription keeps unacked messages when nothing is said: seven days.
pub const RETENTION_DEFAULT_SECONDS: i64 = 7 * 86_400;
/// Milliseconds of a retry policy's bounds.
pub const RETRY_BACKOFF_MS: RangeInclusive<u64> = 0..=600_000;
/// Milliseconds of a retry policy's lower bound when it gives none.
pub const RETRY_MIN_DEFAULT_MS: u64 = 10_000;
/// Milliseconds of a retry policy's upper bound when it gives none.
pub const RETRY_MAX_DEFAULT_MS: u64 = 600_000;
/// Milliseconds a snapshot lives, less the age of its oldest message: seven days.
pub const SNAPSHOT_LIFE_MS: u64 = 7 * 86_400_000;
/// Milliseconds a new snapshot must have to live: an hour.
pub const SNAPSHOT_LIFE_MIN_MS: u64 = 3_600_000;
/// Snapshots at a time in one project.
pub const SNAPSHOTS: usize = 5_000;
/// Labels of one resource.
pub const LABELS: usize = 64;
/// Bytes of a schema's definition.
pub const SCHEMA_BYTES: usize = 300 << 10;
/// Revisions of one schema at a time.
pub const SCHEMA_REVISIONS: usize = 20;
/// First wait after a failed push, in milliseconds.
pub const PUSH_BACKOFF_MIN_MS: u64 = 100;
/// Longest wait after failed pushes, in milliseconds.
pub const PUSH_BACKOFF_MAX_MS: u64 = 60_000;
/// Seconds a push token is good for.
pub const TOKEN_SECONDS: u64 = 3_600;
/// Version of the streaming protocol from which on a client's keep-alives are answered.
pub const STREAM_PINGS_VERSION: i64 = 1;
