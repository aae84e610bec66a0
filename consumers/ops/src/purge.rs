//! Forgets what nobody needs any more: plans that were not used, closed letters with all that belongs to them. The audit trail stays.

use events::topology::limits::OUTBOX_DAYS;
use store::{Store, StoreError, Tx};
use tracing::{info, warn};

use crate::limits::{MS_PER_DAY, PURGE_BATCH, PURGE_BATCHES, UNUSED_PLAN_DAYS};
use crate::rows::letters;
use crate::rows::plans;

/// Purges old rows. Clones are the same.
#[derive(Clone)]
pub struct Purge {
    store: Store,
}

impl Purge {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Purges a bounded number of old rows; what is left is left to the next run. Trouble is logged.
    pub async fn run(&self, now_ms: i64) {
        match self.purge(now_ms).await {
            Ok((0, 0)) => {}
            Ok((plans, letters)) => info!(plans, letters, "purged old plans and letters"),
            Err(error) => warn!(%error, "old rows could not be purged"),
        }
    }

    /// Plans and letters that were purged.
    async fn purge(&self, now_ms: i64) -> Result<(u64, u64), StoreError> {
        let before = |days: u32| now_ms - i64::from(days) * MS_PER_DAY;
        let (unused, old) = (before(UNUSED_PLAN_DAYS), before(OUTBOX_DAYS));
        let plans = self.each(now_ms, move |tx| plans::purge(tx, unused, old)).await?;
        let letters = self.each(now_ms, move |tx| letters::purge(tx, old, PURGE_BATCH)).await?;
        Ok((plans, letters))
    }

    async fn each(
        &self,
        now_ms: i64,
        batch: impl Fn(&mut Tx<'_>) -> Result<u64, StoreError> + Copy + Send + 'static,
    ) -> Result<u64, StoreError> {
        let mut purged = 0;
        for _ in 0..PURGE_BATCHES {
            let count = self.store.write(now_ms, batch).await?;
            purged += count;
            if count == 0 {
                break;
            }
        }
        Ok(purged)
    }
}
