//! Invariant 1: every order the client was told is confirmed has its events, and ends, or is on a list.

use std::collections::{BTreeMap, BTreeSet};

use events::Fact;
use events::billing::InvoiceRequested;
use events::inventory::StockReserved;
use events::order::OrderConfirmed;
use events::topology::TYPE_PREFIX;

use crate::evidence::{CHECKOUT, Evidence, Said};
use crate::invariant::Invariant;
use crate::messages::owed;
use crate::report::OpenOrder;

/// Statuses an order ends in.
const TERMINAL: [&str; 4] = ["completed", "cancelled", "rejected", "returned"];

/// Whether an order in this status has come to its end.
#[must_use]
pub fn has_ended(status: &str) -> bool {
    TERMINAL.contains(&status)
}

/// Missing of an order that is older than what services keep.
const PURGED: &str = "an event older than the outboxes tell: boutique stuck names it";

const BIRTH: [&str; 3] = [OrderConfirmed::TYPE, StockReserved::TYPE, InvoiceRequested::TYPE];

pub(crate) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant =
        Invariant::new(1, "every confirmed order has its events, and has ended or is on the list of open orders");
    let mut born: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for said in evidence.facts().filter(|said| said.service == CHECKOUT) {
        born.entry(said.order_id()).or_default().insert(&said.event_type);
    }
    for order_id in &evidence.answered {
        let kept = evidence.confirmed.contains_key(order_id);
        invariant.check(kept, || format!("order {order_id} was answered 201 and checkout does not know it"));
    }
    let listed: BTreeSet<String> = open(evidence).into_iter().map(|order| order.order_id).collect();
    for (order_id, placed_at_ms) in &evidence.confirmed {
        let events = born.get(order_id.as_str());
        let purged = *placed_at_ms < evidence.kept_from_ms;
        for wanted in BIRTH {
            let there = purged || events.is_some_and(|events| events.contains(wanted));
            invariant.check(there, || format!("order {order_id} was confirmed without {}", short(wanted)));
        }
        let ended = evidence.statuses.get(order_id).is_some_and(|status| has_ended(status));
        invariant.check(ended || listed.contains(order_id), || {
            format!("order {order_id} has not ended, and nothing that it waits for is missing")
        });
    }
    invariant
}

/// Confirmed orders that have not ended, each with the event that is missing and who owes it.
pub(crate) fn open(evidence: &Evidence) -> Vec<OpenOrder> {
    let mut by_order: BTreeMap<&str, Vec<&Said>> = BTreeMap::new();
    for said in evidence.facts() {
        by_order.entry(said.order_id()).or_default().push(said);
    }
    let is_open =
        |(order_id, _): &(&String, &i64)| !evidence.statuses.get(*order_id).is_some_and(|status| has_ended(status));
    evidence
        .confirmed
        .iter()
        .filter(is_open)
        .filter_map(|(order_id, placed_at_ms)| {
            let status = evidence.statuses.get(order_id).map_or("unknown to oms", String::as_str);
            let said = by_order.get(order_id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let missing = match missing(evidence, status, said) {
                None if *placed_at_ms < evidence.kept_from_ms => PURGED.to_owned(),
                missing => missing?,
            };
            Some(OpenOrder { order_id: order_id.clone(), status: status.to_owned(), missing })
        })
        .collect()
}

/// What stands between the order and its end: an event not handled yet, a person, the fraud engine, or a shipment under way.
fn missing(evidence: &Evidence, status: &str, said: &[&Said]) -> Option<String> {
    let unheard = said.iter().find_map(|said| {
        let consumer = owed(evidence, said).into_iter().next()?;
        Some(format!("{} has not handled {}", consumer, short(&said.event_type)))
    });
    if unheard.is_some() {
        return unheard;
    }
    let times_said = |name: &str| said.iter().filter(|said| short(&said.event_type).starts_with(name)).count();
    let was_said = |name: &str| times_said(name) > 0;
    // An order has several shipments, and each of them arrives or fails.
    let planned = times_said("fulfillment.shipment_created").max(1);
    let ended = times_said("fulfillment.shipment_delivered") + times_said("fulfillment.shipment_failed");
    let unclear = said.iter().any(|said| said.risk.as_deref() == Some("UNKNOWN"));
    match status {
        "on_hold" => Some("a person's word: order.released or order.cancelled".to_owned()),
        _ if unclear && !was_said("risk.") => {
            Some("the fraud engine's word: risk.fraud_cleared from fraud-bridge".to_owned())
        }
        _ if was_said("fulfillment.requested") && ended < planned => {
            Some("the carrier: fulfillment.shipment_delivered from warehouse".to_owned())
        }
        _ => None,
    }
}

fn short(event_type: &str) -> &str {
    event_type.trim_start_matches(TYPE_PREFIX)
}
