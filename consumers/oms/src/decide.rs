//! What follows from the facts known about an order. Pure: the same set gives the same answer, in whatever order it grew.

use events::Ledger;
use events::order::CancellationReason;
use events::risk::RiskLevel;

use crate::claims::{Claim, claims};
use crate::facts::{Entry, Facts, Kind};
use crate::returns;
use crate::waits;

/// Where an order stands.
pub(crate) use events::states::order::State as Status;

/// Kinds that say that a shipment left the house.
const LEFT: [Kind; 3] = [Kind::ShipmentDispatched, Kind::ShipmentDelivered, Kind::ShipmentLost];
/// Kinds that say that nothing more comes of a shipment.
pub(crate) const SETTLED: [Kind; 2] = [Kind::ShipmentDelivered, Kind::ShipmentLost];

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Stock is firm, the invoice issued, the risk clear: ship it.
    Fulfil,
    /// It ends here.
    Cancel(CancellationReason),
    /// A person has to look at it.
    Hold,
    /// Everything was delivered, or given up and its refund asked for.
    Complete,
    /// Something came back or never arrived: give its share back.
    Refund(Claim),
}

/// What follows from the set and was not yet said. Each decision is made once: what was said is a fact in the set.
pub(crate) fn decide(facts: &Facts) -> Vec<Decision> {
    if facts.has(Kind::OrderCancelled) || facts.has(Kind::OrderRejected) {
        return Vec::new();
    }
    let completed = facts.has(Kind::OrderCompleted);
    if !completed && let Some(reason) = cause_to_cancel(facts) {
        return vec![Decision::Cancel(reason)];
    }
    let mut decisions: Vec<Decision> = claims(facts).into_iter().map(Decision::Refund).collect();
    if completed {
        return decisions;
    }
    let mut fulfilled = facts.has(Kind::FulfillmentRequested);
    if !fulfilled && facts.has(Kind::OrderConfirmed) && is_flagged(facts) && !facts.has(Kind::OrderOnHold) {
        decisions.push(Decision::Hold);
    }
    if !fulfilled && is_ready(facts) {
        decisions.push(Decision::Fulfil);
        fulfilled = true;
    }
    if fulfilled && facts.cover(&SETTLED) {
        decisions.push(Decision::Complete);
    }
    decisions
}

/// Notes in the set what is about to be said, so that it is said once.
pub(crate) fn note(facts: &mut Facts, decision: &Decision, now_ms: i64) {
    let kind = match decision {
        Decision::Fulfil => Kind::FulfillmentRequested,
        Decision::Cancel(reason) => {
            facts.reason = Some(*reason);
            Kind::OrderCancelled
        }
        Decision::Hold => Kind::OrderOnHold,
        Decision::Complete => Kind::OrderCompleted,
        Decision::Refund(claim) => {
            facts.add(claim.entry(now_ms));
            return;
        }
    };
    facts.add(Entry::new(kind, now_ms));
}

/// Where the order stands.
pub(crate) fn status(facts: &Facts) -> Status {
    if facts.has(Kind::OrderCancelled) {
        Status::Cancelled
    } else if facts.has(Kind::OrderRejected) {
        Status::Rejected
    } else if facts.has(Kind::OrderCompleted) {
        if returns::all_came_back(facts) { Status::Returned } else { Status::Completed }
    } else if facts.has(Kind::FulfillmentRequested) {
        if facts.cover(&LEFT) { Status::Shipped } else { Status::Fulfilling }
    } else if facts.has(Kind::OrderOnHold) && !facts.has(Kind::OrderReleased) {
        Status::OnHold
    } else if facts.has(Kind::OrderConfirmed) || facts.has(Kind::OrderReleased) {
        Status::Confirmed
    } else {
        Status::Pending
    }
}

/// Names of what has to come before the order goes on; none for one that is over.
pub(crate) fn waiting_for(facts: &Facts) -> Vec<String> {
    waits::missing(facts).iter().map(ToString::to_string).collect()
}

/// Whether a shipment of the order left the house: from here on it can only come back as a return.
pub(crate) fn has_left_any(facts: &Facts) -> bool {
    LEFT.into_iter().any(|kind| facts.has(kind))
}

/// Whether everything of a ledger left the house.
pub(crate) fn has_left(facts: &Facts, ledger: Ledger) -> bool {
    has_come_to(facts, &LEFT, ledger)
}

/// Whether everything of a ledger was delivered or given up.
pub(crate) fn has_settled(facts: &Facts, ledger: Ledger) -> bool {
    has_come_to(facts, &SETTLED, ledger)
}

/// Whether facts of these kinds are about everything of a ledger.
fn has_come_to(facts: &Facts, kinds: &[Kind], ledger: Ledger) -> bool {
    facts.bought.iter().filter(|line| line.ledger == ledger).all(|line| facts.covers(kinds, line))
}

/// Before the warehouse was asked and while nothing is known to have left, any no ends the order. Afterwards only the warehouse's word that nothing left, or that nothing of what
/// left arrived.
fn cause_to_cancel(facts: &Facts) -> Option<CancellationReason> {
    let stopped = facts.has(Kind::ShipmentFailed) || facts.has(Kind::WarehouseStopped);
    if stopped && !has_left_any(facts) {
        let asked = facts.has(Kind::CancelRequested);
        return Some(if asked { CancellationReason::ByCustomer } else { CancellationReason::ShipmentFailed });
    }
    if facts.cover(&[Kind::ShipmentLost]) && !facts.has(Kind::ShipmentDelivered) {
        return Some(CancellationReason::Undeliverable);
    }
    if facts.has(Kind::FulfillmentRequested) || has_left_any(facts) {
        return None;
    }
    let causes = [
        (Kind::StockRejected, CancellationReason::StockRejected),
        (Kind::InvoiceFailed, CancellationReason::InvoiceFailed),
        (Kind::ReviewRefused, CancellationReason::FraudConfirmed),
        (Kind::CancelRequested, CancellationReason::ByCustomer),
    ];
    causes.into_iter().find(|(kind, _)| facts.has(*kind)).map(|(_, reason)| reason)
}

fn is_ready(facts: &Facts) -> bool {
    facts.has(Kind::OrderConfirmed)
        && facts.has_for_all_ledgers(Kind::StockCommitted)
        && facts.has(Kind::InvoiceIssued)
        && is_clear(facts)
}

fn is_flagged(facts: &Facts) -> bool {
    // Checkout refuses HIGH; should one slip through, a person looks at it.
    facts.has(Kind::FraudFlagged) || facts.risk == Some(RiskLevel::High)
}

/// Whether the order may be shipped as far as its risk goes.
pub(crate) fn is_clear(facts: &Facts) -> bool {
    let engine_said_yes =
        matches!(facts.risk, Some(RiskLevel::Low | RiskLevel::Medium)) || facts.has(Kind::FraudCleared);
    facts.has(Kind::OrderReleased) || (engine_said_yes && !is_flagged(facts))
}

#[cfg(test)]
mod tests;
