//! The commands that events and REST calls share, each keyed by the order: done once, however often it is asked for.

use events::fulfillment::{FulfillmentRequested, ShipmentFailed};
use events::states::shipment::Trigger;
use events::{Event, OrderId};
use store::{StoreError, Tx};

use crate::config::Delays;
use crate::decide::{self, Locations, UnknownLocation};
use crate::rows::{self, Standing};
use crate::shipment::{Shipment, Story};

/// `ShipmentFailed` and `stopped_orders`: somebody asked for a stop before dispatch.
pub(crate) const STOPPED: &str = "stopped";
/// `stopped_orders`: OMS cancelled the order.
pub(crate) const CANCELLED: &str = "cancelled";
/// `ShipmentFailed` and `stopped_orders`: no ledger knows where some product lies.
pub(crate) const UNKNOWN_LOCATION: &str = "unknown_location";
/// Products named in the reason of a failure at most.
const MAX_NAMED: usize = 5;

/// What became of a request to ship.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shipped {
    /// The order has its shipments, made now or before.
    Shipping,
    /// Nothing is shipped for the order, by this code.
    Stopped(String),
}

/// Plans the order's shipments, unless it has them or was stopped.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn ship(
    tx: &mut Tx<'_>,
    request: &FulfillmentRequested,
    locations: &Locations,
    story: &Story,
    delays: Delays,
) -> Result<(Shipped, Vec<Event>), StoreError> {
    let FulfillmentRequested { order_id, lines } = request;
    let Standing { stopped, said, has_shipments } = rows::standing(tx, order_id)?;
    if let Some(code) = stopped {
        let mut facts = Vec::new();
        if !said {
            rows::mark_said(tx, order_id)?;
            facts.push(failed(order_id, STOPPED, "the order was stopped before it was to be shipped".to_owned()));
        }
        return Ok((Shipped::Stopped(code), facts));
    }
    if has_shipments {
        return Ok((Shipped::Shipping, Vec::new()));
    }
    match decide::plan(order_id, lines, locations, story, tx.now_ms()) {
        Ok(shipments) => {
            let mut facts = Vec::with_capacity(3 * shipments.len());
            for mut shipment in shipments {
                facts.extend(decide::begin(&mut shipment, delays));
                rows::insert(tx, &shipment)?;
            }
            Ok((Shipped::Shipping, facts))
        }
        Err(unknown) => {
            rows::stop(tx, order_id, UNKNOWN_LOCATION, true)?;
            Ok((
                Shipped::Stopped(UNKNOWN_LOCATION.to_owned()),
                vec![failed(order_id, UNKNOWN_LOCATION, name(&unknown))],
            ))
        }
    }
}

/// Cancels what has not left, and remembers that nothing more is to leave.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn call_off(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<(), StoreError> {
    let standing = rows::standing(tx, order_id)?;
    if standing.has_shipments {
        let shipments = rows::of_order(tx, order_id)?;
        cancel(tx, shipments)?;
    }
    if standing.stopped.is_none() {
        // With shipments the request to ship has been answered; without, its answer is still owed.
        rows::stop(tx, order_id, CANCELLED, standing.has_shipments)?;
    }
    Ok(())
}

/// Stops an order of which nothing left. `None`: something did, and nothing was changed.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn stop(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Option<Vec<Event>>, StoreError> {
    let shipments = rows::of_order(tx, order_id)?;
    if shipments.iter().any(|shipment| shipment.has_left()) {
        return Ok(None);
    }
    let had_shipments = !shipments.is_empty();
    let cancelled = cancel(tx, shipments)?;
    rows::stop(tx, order_id, STOPPED, had_shipments)?;
    let mut facts = Vec::new();
    if cancelled > 0 {
        facts.push(failed(order_id, STOPPED, "the order was stopped before dispatch".to_owned()));
    }
    Ok(Some(facts))
}

/// Cancels those shipments that can be, and counts them.
fn cancel(tx: &mut Tx<'_>, shipments: Vec<Shipment>) -> Result<usize, StoreError> {
    let (now_ms, mut cancelled) = (tx.now_ms(), 0);
    for mut shipment in shipments {
        let before = shipment.status;
        // What left cannot be cancelled; it arrives, or comes back.
        if decide::step(&mut shipment, Trigger::Cancel, Delays::default(), now_ms).is_ok() {
            cancelled += usize::from(rows::advance(tx, before, &shipment)?);
        }
    }
    Ok(cancelled)
}

/// Nothing of the order was or will be shipped.
fn failed(order_id: &OrderId, code: &str, reason: String) -> Event {
    let (order_id, code) = (order_id.clone(), code.to_owned());
    ShipmentFailed { order_id, code, reason, shipment_id: None, ledger: None, lines: Vec::new() }.into()
}

fn name(UnknownLocation(products): &UnknownLocation) -> String {
    let named: Vec<&str> = products.iter().take(MAX_NAMED).map(|id| id.as_str()).collect();
    let more = products.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("no ledger knows where {}{more} lies", named.join(", "))
}
