//! Shipments move on when their time has come: dispatched, then delivered.
//!
//! Each step is one transaction that checks the step before, so that it is taken once, also across crashes and by two instances.

use futures::StreamExt;
use runtime::{Failure, Transactor};
use store::StoreError;
use tracing::warn;

use crate::config::Delays;
use crate::decide;
use crate::rows;
use crate::shipment::{Shipment, Status};

/// Shipments moved on in one run.
const MAX_PER_RUN: u32 = 1_000;
/// Transactions at once. They share commits, and stay well below the store's queue.
const AT_ONCE: usize = 128;

/// Takes every step that is due at `now_ms`. What fails is due again in the next run.
pub async fn progress(transactor: &Transactor, delays: Delays, now_ms: i64) {
    let due = match transactor.store().read(move |tx| rows::due(tx, now_ms, MAX_PER_RUN)).await {
        Ok(due) => due,
        Err(error) => {
            let error: StoreError = error;
            warn!(%error, "cannot look for shipments that are due");
            return;
        }
    };
    let steps = due.into_iter().map(|shipment| step(transactor, shipment, delays, now_ms));
    futures::stream::iter(steps).buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn step(transactor: &Transactor, mut shipment: Shipment, delays: Delays, found_at_ms: i64) {
    let order_id = shipment.order_id.clone();
    let verb = if shipment.status == Status::Created { "dispatch" } else { "deliver" };
    // The ledger is part of the name: an order's shipments have one cause, and their facts need ids of their own.
    let reaction = format!("{}.{verb}-shipment.{}", crate::service::NAME, shipment.ledger);
    let cause = std::mem::take(&mut shipment.story).cause(reaction);
    let taken = transactor.run(cause, move |tx| {
        tx.lock(shipment.order_id.as_str())?;
        // Found due, so it is due: a clock that was set back must not undo that.
        let (before, now_ms) = (shipment.status, tx.now_ms().max(found_at_ms));
        let facts = decide::advance(&mut shipment, delays, now_ms);
        let facts = if rows::advance(tx, before, &shipment)? { facts } else { Vec::new() };
        Ok::<_, Failure>(((), facts))
    });
    if let Err(error) = taken.await {
        warn!(order.id = order_id.as_str(), %error, "a shipment could not move on, trying again");
    }
}
