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

async fn step(transactor: &Transactor, mut found: Shipment, delays: Delays, found_at_ms: i64) {
    let order_id = found.order_id.clone();
    let verb = if found.status == Status::Dispatched { "deliver" } else { "dispatch" };
    // Shipment and attempt are part of the name: an order's shipments have one cause, and their facts need ids of their own.
    let (name, shipment_id, attempt) = (crate::service::NAME, &found.shipment_id, found.attempt);
    let reaction = format!("{name}.{verb}-shipment.{shipment_id}.{attempt}");
    let cause = std::mem::take(&mut found.story).cause(reaction);
    let taken = transactor.run(cause, move |tx| {
        tx.lock(found.order_id.as_str())?;
        // Its delivery may have failed and another have left since it was found: that one has its own time.
        let same = |now: &Shipment| (now.status, now.attempt) == (found.status, found.attempt);
        let Some(mut shipment) = rows::one(tx, &found.shipment_id)?.filter(same) else {
            return Ok::<_, Failure>(((), Vec::new()));
        };
        // Found due, so it is due: a clock that was set back must not undo that.
        let (before, now_ms) = (shipment.status, tx.now_ms().max(found_at_ms));
        let facts = decide::advance(&mut shipment, delays, now_ms);
        let facts = if rows::advance(tx, before, &shipment)? { facts } else { Vec::new() };
        Ok(((), facts))
    });
    if let Err(error) = taken.await {
        warn!(order.id = order_id.as_str(), %error, "a shipment could not move on, trying again");
    }
}

#[cfg(test)]
mod tests {
    use events::Ledger;
    use events::fulfillment::ShipmentDelivered;
    use testkit::{Scenario, T0};

    use super::*;
    use crate::config::Config;
    use crate::shipment::Story;

    fn dispatched(attempt: u32, due_at_ms: i64) -> Shipment {
        Shipment {
            shipment_id: "shipment-1".parse().unwrap(),
            order_id: "order-1".parse().unwrap(),
            ledger: Ledger::Inventory,
            part: None,
            status: Status::Dispatched,
            attempt,
            lines: vec![events::StockLine { product_id: "LAMP".parse().unwrap(), quantity: 1 }],
            location: "Aisle 1".to_owned(),
            due_at_ms: Some(due_at_ms),
            created_at_ms: T0,
            dispatched_at_ms: Some(T0),
            delivered_at_ms: None,
            failed_at_ms: None,
            story: Story::default(),
        }
    }

    #[tokio::test]
    async fn a_step_that_was_found_due_does_not_deliver_the_delivery_after_it() {
        let house =
            Scenario::new(crate::consumer(&Config::default(), &runtime::Identity::open_house()), crate::MIGRATIONS);
        let far_ms = runtime::clock::now_ms() + 3_600_000;
        house.given(|tx| rows::insert(tx, &dispatched(1, T0))).await;
        let mut found = house.read(|tx| rows::due(tx, T0 + 1, 1)).await;
        // Meanwhile the carrier reports that it failed, and it leaves again.
        house.given(move |tx| rows::advance(tx, Status::Dispatched, &dispatched(2, far_ms))).await;

        step(house.transactor(), found.remove(0), Delays::NONE, T0 + 1).await;

        let now = house.read(|tx| rows::one(tx, &"shipment-1".parse().unwrap())).await;
        assert_eq!(now, Some(dispatched(2, far_ms)));
        assert_eq!(house.said_facts::<ShipmentDelivered>(), []);
        // And the one that is due now is delivered by the look that finds it.
        progress(house.transactor(), Delays::NONE, far_ms).await;
        assert_eq!(house.said_facts::<ShipmentDelivered>().len(), 1);
    }
}
