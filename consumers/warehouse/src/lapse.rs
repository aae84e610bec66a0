//! Returns that never came are given up when the warehouse has waited long enough.
//!
//! Each is one transaction that checks the state before, so that it lapses once, also across crashes and by two instances; goods that
//! come at the same moment or later are received all the same, and it is said that they came.

use std::time::Duration;

use events::fulfillment::ReturnOutcome;
use events::states::returns::{MACHINE, Trigger};
use runtime::{Failure, Transactor};
use store::StoreError;
use tracing::warn;

use crate::return_rows;
use crate::returns::{self, Return};

/// Returns given up in one run; more lapse in the next.
const MAX_PER_RUN: u32 = 200;

/// Gives up every return that is overdue at `now_ms`, after `patience` of waiting. What fails is tried again in the next run.
pub async fn lapse(transactor: &Transactor, patience: Duration, now_ms: i64) {
    let patience_ms = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
    let requested_by_ms = now_ms.saturating_sub(patience_ms);
    let found: Result<_, StoreError> =
        transactor.store().read(move |tx| return_rows::expected(tx, requested_by_ms, MAX_PER_RUN)).await;
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            warn!(%error, "cannot look for returns that are overdue");
            return;
        }
    };
    for expected in found.into_iter().filter(|one| returns::is_overdue(one.requested_at_ms, patience_ms, now_ms)) {
        let order_id = expected.order_id.clone();
        if let Err(error) = give_up(transactor, expected).await {
            warn!(order.id = order_id.as_str(), %error, "a return could not lapse, trying again");
        }
    }
}

async fn give_up(transactor: &Transactor, expected: Return) -> Result<(), Failure> {
    let reaction = format!("{}.lapse-return.{}", crate::service::NAME, expected.return_id);
    let cause = expected.story.clone().cause(reaction);
    let run = transactor.run(cause, move |tx| {
        tx.lock(expected.order_id.as_str())?;
        let to = MACHINE.next(expected.status, Trigger::Lapse)?;
        let lines = returns::lapsed(&expected.lines);
        let first = return_rows::close(tx, &expected.return_id, expected.status, to, &lines)?;
        let said = if first { returns::closed(&expected, ReturnOutcome::Lapsed, &lines) } else { Vec::new() };
        Ok::<_, Failure>(((), said))
    });
    run.await
}
