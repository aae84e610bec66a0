//! Whether a run has come to rest: nothing is under way, nothing waits, nobody has anything left to do.

use store::{Store, StoreError};

use crate::stage::{FURNITURE, INVENTORY, Stage};
use crate::topics::subscriptions;
use crate::world::{World, locked};

const UNSENT: &str = "SELECT COUNT(*) FROM outbox WHERE sent_at_ms IS NULL";
const OPEN: &str = "SELECT COUNT(*) FROM orders WHERE status NOT IN ('completed', 'cancelled', 'rejected', 'returned')";
const HELD: &str = "SELECT COUNT(*) FROM holds WHERE status = 'held'";
const EXPECTED: &str = "SELECT COUNT(*) FROM returns WHERE status = 'expected'";
const PENDING: &str = "SELECT COUNT(*) FROM scorings WHERE status = 'pending'";

/// What is not at rest yet; nothing when all is.
pub(crate) async fn unrest(world: &World, stage: &Stage) -> Result<Option<String>, StoreError> {
    let waiting = subscriptions().find_map(|subscription| {
        let backlog = locked(&world.pubsub).backlog(&subscription);
        (backlog > 0).then(|| format!("{backlog} messages wait in {subscription}"))
    });
    if waiting.is_some() {
        return Ok(waiting);
    }
    for book in stage.books() {
        let unsent = count(&book.store, UNSENT).await?;
        if unsent > 0 {
            return Ok(Some(format!("{unsent} rows wait in the outbox of {}", book.service)));
        }
    }
    let open = count(&stage.book("oms").store, OPEN).await?;
    if open > 0 {
        return Ok(Some(format!("{open} orders have not ended")));
    }
    for ledger in [INVENTORY, FURNITURE] {
        let held = count(&stage.book(ledger).store, HELD).await?;
        if held > 0 {
            return Ok(Some(format!("{held} holds of {ledger} are neither firm nor lapsed")));
        }
    }
    let expected = count(&stage.book("warehouse").store, EXPECTED).await?;
    if expected > 0 {
        return Ok(Some(format!("{expected} returns have not been inspected")));
    }
    let pending = count(&stage.book("fraud-bridge").store, PENDING).await?;
    Ok((pending > 0).then(|| format!("{pending} orders wait for their score")))
}

async fn count(store: &Store, sql: &'static str) -> Result<i64, StoreError> {
    store.read(move |tx| tx.query_opt(sql, &[], |row| row.get_i64(0)).map(Option::unwrap_or_default)).await
}
