//! Figures per subscription.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::core::Core;

/// Figures of all subscriptions, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// One entry per subscription, sorted by name.
    pub subscriptions: Vec<SubscriptionStats>,
}

/// Figures of one subscription. Counts are since the broker started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionStats {
    /// Full name, `projects/{project}/subscriptions/{id}`.
    pub name: String,
    /// Full name of its topic, or `_deleted-topic_`.
    pub topic: String,
    /// Messages not acked, those with a subscriber included.
    pub backlog: u64,
    /// Age in seconds of the oldest message not acked; 0 without any.
    pub oldest_unacked_age_seconds: u64,
    /// Deliveries, repeated ones included.
    pub delivered: u64,
    /// Messages acked.
    pub acked: u64,
    /// Deliveries that were refused or whose deadline passed.
    pub nacked: u64,
    /// Messages forwarded to the dead-letter topic.
    pub dead_lettered: u64,
}

pub(crate) fn collect(core: &Core) -> Stats {
    let now_ms = core.clock.wall_ms();
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let mut subscriptions: Vec<SubscriptionStats> = core
        .all_subscriptions()
        .iter()
        .map(|s| {
            let (backlog, oldest_ms) = s.backlog();
            SubscriptionStats {
                name: s.name.clone(),
                topic: s.config().topic,
                backlog: backlog as u64,
                oldest_unacked_age_seconds: oldest_ms.map_or(0, |ms| now_ms.saturating_sub(ms) / 1000),
                delivered: count(&s.counts.delivered),
                acked: count(&s.counts.acked),
                nacked: count(&s.counts.nacked),
                dead_lettered: count(&s.counts.dead_lettered),
            }
        })
        .collect();
    subscriptions.sort_by(|a, b| a.name.cmp(&b.name));
    Stats { subscriptions }
}
