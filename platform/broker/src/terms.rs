//! What a subscription's configuration says, ready for use. Replaced as a whole when it is updated.

use delivery::{Backoff, DeadLetterPolicy, RetryPolicy};
use google_cloud_googleapis::pubsub::v1 as pb;
use prost_types::Duration;

use crate::limits;

/// The terms of one subscription.
#[derive(Debug)]
pub(crate) struct Terms {
    /// As it was asked for, with the service's defaults filled in.
    pub(crate) config: pb::Subscription,
    pub(crate) ack_deadline_ms: u64,
    pub(crate) retry: RetryPolicy,
    pub(crate) dead_letter: Option<DeadLetterPolicy>,
    /// How long unacked messages are kept, and acked ones with `retain_acked_messages`.
    pub(crate) retention_ms: u64,
    /// How long a subscription that nobody uses is kept. For ever without it.
    pub(crate) ttl_ms: Option<u64>,
}

impl Terms {
    /// The terms of a configuration that was checked. `fast`: see [`crate::Settings::fast`].
    pub(crate) fn of(config: pb::Subscription, fast: bool) -> Terms {
        let retention = config.message_retention_duration.as_ref().map(millis);
        Terms {
            ack_deadline_ms: u64::try_from(config.ack_deadline_seconds).unwrap_or(0) * 1000,
            retry: retry(config.retry_policy.as_ref(), fast),
            dead_letter: config.dead_letter_policy.as_ref().map(|policy| DeadLetterPolicy {
                topic: policy.dead_letter_topic.clone(),
                max_attempts: u16::try_from(policy.max_delivery_attempts).unwrap_or(u16::MAX),
            }),
            retention_ms: retention.unwrap_or(limits::RETENTION_DEFAULT_SECONDS.unsigned_abs() * 1000),
            ttl_ms: config.expiration_policy.as_ref().and_then(|policy| policy.ttl.as_ref()).map(millis),
            config,
        }
    }

    /// Only the delivery that has the lease may ack.
    pub(crate) fn exactly_once(&self) -> bool {
        self.config.enable_exactly_once_delivery
    }

    /// How long acked messages can be sought.
    pub(crate) fn retain_acked_ms(&self) -> u64 {
        if self.config.retain_acked_messages { self.retention_ms } else { 0 }
    }
}

/// A checked duration in milliseconds; 0 for a negative one.
pub(crate) fn millis(duration: &Duration) -> u64 {
    seconds_to_millis(duration.seconds, duration.nanos)
}

/// Seconds and nanoseconds in milliseconds; 0 for a negative time.
pub(crate) fn seconds_to_millis(seconds: i64, nanos: i32) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    seconds.saturating_mul(1000).saturating_add(u64::try_from(nanos / 1_000_000).unwrap_or(0))
}

fn retry(policy: Option<&pb::RetryPolicy>, fast: bool) -> RetryPolicy {
    let most_ms = if fast { limits::PUSH_BACKOFF_FAST_MAX_MS } else { u64::MAX };
    RetryPolicy(policy.map(|policy| {
        let min_ms = policy.minimum_backoff.as_ref().map_or(limits::RETRY_MIN_DEFAULT_MS, millis);
        let max_ms = policy.maximum_backoff.as_ref().map_or(limits::RETRY_MAX_DEFAULT_MS, millis);
        Backoff { min_ms: min_ms.min(most_ms), max_ms: max_ms.min(most_ms) }
    }))
}
