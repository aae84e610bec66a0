//! Every bound of the store by name.

use std::time::Duration;

/// How much the store takes on. The defaults suit a service on two cores; tests make them small.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Jobs accepted and not yet started. One more is refused with [`Busy`](crate::StoreError::Busy). 1 or more.
    pub queued_jobs: usize,
    /// Jobs that share one commit on SQLite. 1 or more.
    pub group_jobs: usize,
    /// Rows changed after which a group on SQLite takes no further job. It bounds the wait of the first caller by
    /// work, not by a clock, so that a group is the same in every run: 2,000 rows are about 5 ms.
    pub group_changes: u64,
    /// How long the SQLite writer lets jobs gather when one came while it was committing: a busy database then commits
    /// larger groups less often, an idle one answers at once. 0 never waits; at most 10 ms are honoured.
    pub gather: Duration,
    /// How long a statement waits for a lock that another connection holds before it is
    /// [`Busy`](crate::StoreError::Busy).
    pub lock_wait: Duration,
    /// Read-only SQLite connections, opened when first needed. 1 or more.
    pub readers: usize,
    /// PostgreSQL connections, each with a thread of its own, opened when first needed. 1 or more.
    pub postgres_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            queued_jobs: 1024,
            group_jobs: 256,
            group_changes: 2_000,
            gather: Duration::from_micros(500),
            lock_wait: Duration::from_secs(5),
            readers: 2,
            postgres_connections: 8,
        }
    }
}
