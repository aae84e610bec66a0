//! What keeps messages that nobody is owed: retention, and snapshots.

use std::collections::HashMap;
use std::sync::Mutex;

use super::segment::Newest;
use crate::sync::lock;

/// What is retained of one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Messages younger than this, in milliseconds.
    pub(crate) younger_ms: u64,
    /// Messages from this id on.
    pub(crate) from_id: Option<u64>,
}

/// What is retained, by topic number.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    by_topic: Mutex<HashMap<u32, Claim>>,
}

impl Claims {
    /// Replaces all claims.
    pub(crate) fn set(&self, by_topic: HashMap<u32, Claim>) {
        *lock(&self.by_topic) = by_topic;
    }

    /// Whether a segment with this as its last message of a topic is still needed.
    pub(super) fn hold(&self, topic: u32, newest: Newest, now_ms: u64) -> bool {
        let claim = lock(&self.by_topic).get(&topic).copied().unwrap_or_default();
        newest.publish_ms.saturating_add(claim.younger_ms) > now_ms
            || claim.from_id.is_some_and(|from| newest.id >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_held_while_it_is_young_or_behind_a_snapshot() {
        let claims = Claims::default();
        let newest = Newest { id: 10, publish_ms: 1_000 };
        assert!(!claims.hold(1, newest, 1_000));
        claims.set(HashMap::from([
            (1, Claim { younger_ms: 500, from_id: None }),
            (2, Claim { younger_ms: 0, from_id: Some(10) }),
        ]));
        assert!(claims.hold(1, newest, 1_499) && !claims.hold(1, newest, 1_500));
        assert!(claims.hold(2, newest, u64::MAX) && !claims.hold(2, Newest { id: 9, ..newest }, u64::MAX));
    }
}
