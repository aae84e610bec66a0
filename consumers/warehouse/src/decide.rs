//! The warehouse's rules. Pure: the same input gives the same answer.

use std::collections::HashMap;

use events::{Event, Ledger, OrderId, OrderLine, ProductId};

use crate::config::Delays;
use crate::shipment::{Shipment, Status, Story, shipment_id};

/// Where products lie, by what their ledgers said.
pub(crate) type Locations = HashMap<ProductId, String>;

/// Why an order cannot be shipped: nobody knows where these lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownLocation(pub Vec<ProductId>);

/// One shipment per ledger the lines come from, all or none.
///
/// # Errors
/// [`UnknownLocation`] naming every product that cannot be found.
pub(crate) fn plan(
    order_id: &OrderId,
    lines: &[OrderLine],
    locations: &Locations,
    story: &Story,
    now_ms: i64,
) -> Result<Vec<Shipment>, UnknownLocation> {
    let lost: Vec<ProductId> =
        lines.iter().map(|line| &line.product_id).filter(|id| !locations.contains_key(*id)).cloned().collect();
    if !lost.is_empty() {
        return Err(UnknownLocation(lost));
    }
    let of_ledger = |ledger| {
        let lines: Vec<_> = lines.iter().filter(|line| line.ledger == ledger).collect();
        (!lines.is_empty()).then(|| Shipment {
            shipment_id: shipment_id(order_id, ledger),
            order_id: order_id.clone(),
            ledger,
            status: Status::Created,
            location: picking_places(&lines, locations),
            lines: lines.into_iter().map(OrderLine::stock).collect(),
            due_at_ms: None,
            created_at_ms: now_ms,
            dispatched_at_ms: None,
            delivered_at_ms: None,
            story: story.clone(),
        })
    };
    Ok(Ledger::ALL.into_iter().filter_map(of_ledger).collect())
}

/// Every place once, in the order of the lines.
fn picking_places(lines: &[&OrderLine], locations: &Locations) -> String {
    let mut places: Vec<&str> = Vec::new();
    for place in lines.iter().filter_map(|line| locations.get(&line.product_id)) {
        if !places.contains(&place.as_str()) {
            places.push(place);
        }
    }
    places.join(", ")
}

/// Takes every step of the shipment that is due at `now_ms`, and says so. A step with a delay makes the next one due later.
pub(crate) fn advance(shipment: &mut Shipment, delays: Delays, now_ms: i64) -> Vec<Event> {
    let mut said = Vec::new();
    if shipment.status == Status::Created && shipment.due_at_ms.is_some_and(|due| due <= now_ms) {
        shipment.status = Status::Dispatched;
        shipment.dispatched_at_ms = Some(now_ms);
        shipment.due_at_ms = Some(now_ms.saturating_add(delays.deliver_ms));
        said.push(shipment.dispatched());
    }
    if shipment.status == Status::Dispatched && shipment.due_at_ms.is_some_and(|due| due <= now_ms) {
        shipment.status = Status::Delivered;
        shipment.delivered_at_ms = Some(now_ms);
        shipment.due_at_ms = None;
        said.push(shipment.delivered());
    }
    said
}

/// A new shipment's first steps: its creation, and what has no delay.
pub(crate) fn begin(shipment: &mut Shipment, delays: Delays) -> Vec<Event> {
    let now_ms = shipment.created_at_ms;
    shipment.due_at_ms = Some(now_ms.saturating_add(delays.dispatch_ms));
    let mut said = vec![shipment.created()];
    said.extend(advance(shipment, delays, now_ms));
    said
}

#[cfg(test)]
mod tests;
