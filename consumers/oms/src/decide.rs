//! What follows from the facts known about an order. Pure: the same set gives the same answer, in whatever order it grew.

use events::Ledger;
use events::order::CancellationReason;
use events::risk::RiskLevel;
use serde::{Deserialize, Serialize};

use crate::facts::{Entry, Facts, Kind};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Facts about it came, its confirmation has not yet.
    Pending,
    /// Waits for stock, invoice or risk.
    Confirmed,
    /// Waits for a person's word.
    OnHold,
    /// The warehouse was asked to ship it.
    Fulfilling,
    /// All of its shipments left the house.
    Shipped,
    /// All of it was delivered. Final.
    Completed,
    /// It ended undelivered. Final.
    Cancelled,
    /// Checkout refused it. Final.
    Rejected,
}

impl Status {
    /// Every status, in the order of an order's life.
    pub(crate) const ALL: [Status; 8] = [
        Status::Pending,
        Status::Confirmed,
        Status::OnHold,
        Status::Fulfilling,
        Status::Shipped,
        Status::Completed,
        Status::Cancelled,
        Status::Rejected,
    ];

    /// The name in tables and answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Confirmed => "confirmed",
            Status::OnHold => "on_hold",
            Status::Fulfilling => "fulfilling",
            Status::Shipped => "shipped",
            Status::Completed => "completed",
            Status::Cancelled => "cancelled",
            Status::Rejected => "rejected",
        }
    }

    /// The status of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing can follow.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Cancelled | Status::Rejected)
    }
}

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Stock is firm, the invoice issued, the risk clear: ship it.
    Fulfil,
    /// It ends here.
    Cancel(CancellationReason),
    /// A person has to look at it.
    Hold,
    /// Everything was delivered.
    Complete,
}

/// What follows from the set and was not yet said. Each decision is made once: what was said is a fact in the set.
pub(crate) fn decide(facts: &Facts) -> Vec<Decision> {
    if status(facts).is_final() {
        return Vec::new();
    }
    if let Some(reason) = cause_to_cancel(facts) {
        return vec![Decision::Cancel(reason)];
    }
    let mut decisions = Vec::new();
    let mut fulfilled = facts.has(Kind::FulfillmentRequested);
    if !fulfilled && is_flagged(facts) && !facts.has(Kind::OrderOnHold) {
        decisions.push(Decision::Hold);
    }
    if !fulfilled && is_ready(facts) {
        decisions.push(Decision::Fulfil);
        fulfilled = true;
    }
    if fulfilled && facts.has_for_all_ledgers(Kind::ShipmentDelivered) {
        decisions.push(Decision::Complete);
    }
    decisions
}

/// Notes in the set what is about to be said, so that it is said once.
pub(crate) fn note(facts: &mut Facts, decision: Decision, now_ms: i64) {
    let kind = match decision {
        Decision::Fulfil => Kind::FulfillmentRequested,
        Decision::Cancel(reason) => {
            facts.reason = Some(reason);
            Kind::OrderCancelled
        }
        Decision::Hold => Kind::OrderOnHold,
        Decision::Complete => Kind::OrderCompleted,
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
        Status::Completed
    } else if facts.has(Kind::FulfillmentRequested) {
        if Ledger::ALL.iter().all(|&ledger| !facts.ledgers.contains(&ledger) || has_left(facts, ledger)) {
            Status::Shipped
        } else {
            Status::Fulfilling
        }
    } else if facts.has(Kind::OrderOnHold) && !facts.has(Kind::OrderReleased) {
        Status::OnHold
    } else if facts.has(Kind::OrderConfirmed) {
        Status::Confirmed
    } else {
        Status::Pending
    }
}

/// Names of what has to come before the order goes on; none for one that is over.
pub(crate) fn waiting_for(facts: &Facts) -> Vec<String> {
    let mut missing = Vec::new();
    let mut per_ledger = |what: &str, came: &dyn Fn(Ledger) -> bool| {
        let open = facts.ledgers.iter().filter(|&&ledger| !came(ledger));
        missing.extend(open.map(|ledger| format!("{what}:{ledger}")));
    };
    match status(facts) {
        Status::Completed | Status::Cancelled | Status::Rejected => {}
        Status::Fulfilling | Status::Shipped => {
            per_ledger("dispatch", &|ledger| has_left(facts, ledger));
            per_ledger("delivery", &|ledger| facts.has_for(Kind::ShipmentDelivered, ledger));
        }
        status => {
            per_ledger("stock", &|ledger| facts.has_for(Kind::StockCommitted, ledger));
            let parts = [
                ("order", !facts.has(Kind::OrderConfirmed)),
                ("invoice", !facts.has(Kind::InvoiceIssued)),
                ("release", status == Status::OnHold),
                ("risk", status == Status::Confirmed && !is_clear(facts)),
            ];
            missing.extend(parts.into_iter().filter(|(_, open)| *open).map(|(name, _)| name.to_owned()));
        }
    }
    missing
}

/// Whether a shipment of the order left the house: from here on it can only come back as a return.
pub(crate) fn has_left_any(facts: &Facts) -> bool {
    facts.has(Kind::ShipmentDispatched) || facts.has(Kind::ShipmentDelivered)
}

fn has_left(facts: &Facts, ledger: Ledger) -> bool {
    facts.has_for(Kind::ShipmentDispatched, ledger) || facts.has_for(Kind::ShipmentDelivered, ledger)
}

/// Before the warehouse was asked, any no ends the order. Afterwards only the warehouse's word that nothing left does.
fn cause_to_cancel(facts: &Facts) -> Option<CancellationReason> {
    let stopped = facts.has(Kind::ShipmentFailed) || facts.has(Kind::WarehouseStopped);
    if stopped && !has_left_any(facts) {
        let asked = facts.has(Kind::CancelRequested);
        return Some(if asked { CancellationReason::ByCustomer } else { CancellationReason::ShipmentFailed });
    }
    if facts.has(Kind::FulfillmentRequested) {
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

fn is_clear(facts: &Facts) -> bool {
    let engine_said_yes =
        matches!(facts.risk, Some(RiskLevel::Low | RiskLevel::Medium)) || facts.has(Kind::FraudCleared);
    facts.has(Kind::OrderReleased) || (engine_said_yes && !is_flagged(facts))
}

#[cfg(test)]
mod tests;
