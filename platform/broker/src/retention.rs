//! What the log keeps of each topic beyond what its subscriptions owe.

use std::collections::HashMap;
use std::sync::Arc;

use crate::log::Claim;
use crate::snapshot::Snapshot;
use crate::subscription::Subscription;
use crate::topic::Topic;

/// The claims on each topic's messages, by the topic's number: by its own retention, by subscriptions that retain what they acked, and by
/// snapshots.
pub(crate) fn claims<'a>(
    topics: impl Iterator<Item = &'a Arc<Topic>>,
    subscriptions: impl Iterator<Item = &'a Arc<Subscription>>,
    snapshots: impl Iterator<Item = &'a Arc<Snapshot>>,
) -> HashMap<u32, Claim> {
    let mut claims: HashMap<u32, Claim> = HashMap::new();
    for topic in topics {
        claims.entry(topic.number).or_default().younger_ms = topic.retention_ms();
    }
    for subscription in subscriptions.filter(|s| !s.is_detached()) {
        let claim = claims.entry(subscription.topic.number).or_default();
        claim.younger_ms = claim.younger_ms.max(subscription.terms().retain_acked_ms());
    }
    for snapshot in snapshots {
        let claim = claims.entry(snapshot.topic).or_default();
        claim.from_id = Some(claim.from_id.map_or(snapshot.next_id, |from| from.min(snapshot.next_id)));
    }
    claims
}
