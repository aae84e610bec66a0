//! What a subscription is asked to be.

use std::collections::BTreeMap;

use delivery::{Backoff, DeadLetterPolicy};

/// A subscription as its owner writes it down. Zeros and empty texts stand for the service's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionSpec {
    /// Full name, `projects/p/subscriptions/s`.
    pub name: String,
    /// Full name of its topic; `_deleted-topic_` once that is gone.
    pub topic: String,
    /// Where to push; empty for pull.
    pub push_endpoint: String,
    /// Seconds a subscriber has to ack. 10..=600; 0 means 10.
    pub ack_deadline_s: i32,
    /// Whether messages of one ordering key come in order. Cannot change.
    pub ordered: bool,
    /// Which messages it gets, in Pub/Sub's filter language; empty for all. Cannot change.
    pub filter: String,
    /// How long a failed message waits. Bounds within 0..=600 s.
    pub retry: Option<Backoff>,
    /// When a message is given up. 5..=100 attempts; 0 means 5.
    pub dead_letter: Option<DeadLetterPolicy>,
    /// Whether acked messages are kept for a seek.
    pub retain_acked: bool,
    /// Seconds messages are kept. 600..=31 days; 0 means 7 days.
    pub retention_s: i64,
    /// For people.
    pub labels: BTreeMap<String, String>,
    /// Whether it was cut off its topic for good. Never asked for.
    pub detached: bool,
}
