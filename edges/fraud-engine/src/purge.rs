//! What is older than the retention is forgotten, a bounded number of rows at a time.

use runtime::Transactor;
use store::{StoreError, Tx, params};
use tracing::{info, warn};

use crate::config::Config;
use crate::history;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Rows of a table forgotten in one transaction.
const BATCH: u32 = 500;
/// Transactions for one table and run: 10,000 rows a minute, more than a busy shop writes.
const BATCHES: u32 = 20;

const METRICS: &str =
    "DELETE FROM metrics WHERE seq IN (SELECT seq FROM metrics WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";
const CUSTOMERS: &str = "DELETE FROM customers WHERE customer_id IN
    (SELECT customer_id FROM customers WHERE seen_at_ms < ?1 ORDER BY seen_at_ms LIMIT ?2)";
const DEVICES: &str = "DELETE FROM devices WHERE (device_id, customer_id) IN
    (SELECT device_id, customer_id FROM devices WHERE seen_at_ms < ?1 ORDER BY seen_at_ms LIMIT ?2)";

/// Forgets what is too old at `now_ms` (Unix milliseconds). The summary keeps its totals.
///
/// # Errors
/// Of the database.
pub async fn purge(transactor: &Transactor, config: Config, now_ms: i64) -> Result<u64, StoreError> {
    let before_ms = now_ms - i64::from(config.retention_days) * DAY_MS;
    let mut purged = 0;
    for sql in [METRICS, CUSTOMERS, DEVICES] {
        for _ in 0..BATCHES {
            let batch = move |tx: &mut Tx<'_>| tx.execute(sql, params![before_ms, BATCH]);
            let count = transactor.store().write(now_ms, batch).await?;
            purged += count;
            if count < u64::from(BATCH) {
                break;
            }
        }
    }
    transactor.store().write(now_ms, history::fade_shop).await?;
    Ok(purged)
}

/// The same as a service's chore: what fails is tried again next time.
pub(crate) async fn chore(transactor: Transactor, config: Config, now_ms: i64) {
    match purge(&transactor, config, now_ms).await {
        Ok(0) => {}
        Ok(rows) => info!(rows, "forgot what is too old"),
        Err(error) => warn!(%error, "old rows could not be purged"),
    }
}
