//! Keys as they were at some time, and what they are good for by now.

use std::sync::Arc;

use crate::jwk::KeySet;
use crate::limits::KEYS_STALE_S;

/// Keys as they were at some time.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) keys: Arc<KeySet>,
    /// A number that changes when the keys do.
    pub(crate) generation: u64,
    pub(super) at_s: i64,
    /// Seconds they are good for.
    pub(super) good_for_s: i64,
}

impl Held {
    fn age_s(&self, now_s: i64) -> i64 {
        now_s - self.at_s
    }

    /// A clock that was set back makes them old, not young.
    pub(super) fn is_young(&self, now_s: i64) -> bool {
        (0..self.good_for_s).contains(&self.age_s(now_s))
    }

    /// The last quarter of their life is when new ones are fetched while these still serve.
    pub(super) fn is_ageing(&self, now_s: i64) -> bool {
        self.age_s(now_s) >= self.good_for_s / 4 * 3
    }

    pub(super) fn serves(&self, now_s: i64) -> bool {
        self.age_s(now_s) < KEYS_STALE_S
    }
}
