//! The warehouse's rules. Pure: the same input gives the same answer.

use std::collections::HashMap;

use events::states::Illegal;
use events::states::shipment::{MACHINE, Trigger};
use events::{Event, Ledger, OrderId, OrderLine, ProductId};

use crate::config::{Carrier, Delays};
use crate::shipment::{Shipment, Status, Story, shipment_id};

/// Where products lie, by what their ledgers said.
pub(crate) type Locations = HashMap<ProductId, String>;

/// Why an order cannot be shipped: nobody knows where these lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownLocation(pub Vec<ProductId>);

/// One shipment for everything of the inventory ledger and one for each freight product, all or none.
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
    let mut parts: Vec<(Ledger, Option<&ProductId>, Vec<&OrderLine>)> = Vec::new();
    for line in lines {
        let part = (line.ledger == Ledger::Furniture).then_some(&line.product_id);
        match parts.iter_mut().find(|(ledger, other, _)| *ledger == line.ledger && *other == part) {
            Some((_, _, together)) => together.push(line),
            None => parts.push((line.ledger, part, vec![line])),
        }
    }
    parts.sort_by_key(|(ledger, _, _)| *ledger);
    let shipment = |(ledger, part, lines): (Ledger, Option<&ProductId>, Vec<&OrderLine>)| Shipment {
        shipment_id: shipment_id(order_id, ledger, part),
        order_id: order_id.clone(),
        ledger,
        part: part.cloned(),
        status: Status::Created,
        attempt: 1,
        location: picking_places(&lines, locations),
        lines: lines.into_iter().map(OrderLine::stock).collect(),
        due_at_ms: None,
        created_at_ms: now_ms,
        dispatched_at_ms: None,
        delivered_at_ms: None,
        failed_at_ms: None,
        story: story.clone(),
    };
    Ok(parts.into_iter().map(shipment).collect())
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

/// Takes one step of the shipment, and says so. `at_ms` is when it happened; what the step makes due is due from then.
///
/// # Errors
/// [`Illegal`] for a step that the table does not have.
pub(crate) fn step(
    shipment: &mut Shipment,
    trigger: Trigger,
    delays: Delays,
    at_ms: i64,
) -> Result<Vec<Event>, Illegal> {
    shipment.status = MACHINE.next(shipment.status, trigger)?;
    shipment.due_at_ms = None;
    Ok(match trigger {
        Trigger::Dispatch => {
            shipment.dispatched_at_ms = Some(at_ms);
            let own = delays.carrier == Carrier::Own;
            shipment.due_at_ms = own.then(|| at_ms.saturating_add(delays.deliver_ms));
            vec![shipment.dispatched()]
        }
        Trigger::Deliver => {
            shipment.delivered_at_ms = Some(at_ms);
            vec![shipment.delivered()]
        }
        Trigger::Retry => {
            shipment.attempt += 1;
            shipment.due_at_ms = Some(at_ms.saturating_add(delays.dispatch_ms));
            Vec::new()
        }
        Trigger::Fail => {
            shipment.failed_at_ms = Some(at_ms);
            vec![shipment.failed()]
        }
        Trigger::Cancel => Vec::new(),
    })
}

/// Takes every step of the shipment that is due at `now_ms`, and says so. A step with a delay makes the next one due later.
pub(crate) fn advance(shipment: &mut Shipment, delays: Delays, now_ms: i64) -> Vec<Event> {
    let mut said = Vec::new();
    while shipment.due_at_ms.is_some_and(|due| due <= now_ms) {
        let trigger = if shipment.status == Status::Dispatched { Trigger::Deliver } else { Trigger::Dispatch };
        match step(shipment, trigger, delays, now_ms) {
            Ok(facts) => said.extend(facts),
            // It ended meanwhile: nothing is due any more.
            Err(_) => break,
        }
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
