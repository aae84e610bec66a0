//! What OMS knows about one order: every fact it heard, every request it granted and everything it said, as one small set.

use events::billing::{InvoiceFailed, InvoiceIssued, RefundIssued};
use events::fulfillment::{
    FulfillmentRequested, ReturnReceived, ShipmentDelivered, ShipmentDispatched, ShipmentFailed,
};
use events::inventory::{StockCommitted, StockRejected};
use events::order::{
    CancellationReason, OrderCancelled, OrderCompleted, OrderConfirmed, OrderOnHold, OrderRejected, OrderReleased,
};
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{EventId, Fact, Ledger};
use serde::{Deserialize, Serialize};

/// The most facts kept about one order. An honest order has about 20; the rest is room for partial returns.
pub(crate) const MAX_FACTS: usize = 256;

/// What kind of fact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    // Heard.
    OrderConfirmed,
    OrderRejected,
    StockCommitted,
    StockRejected,
    InvoiceIssued,
    InvoiceFailed,
    FraudCleared,
    FraudFlagged,
    ShipmentDispatched,
    ShipmentDelivered,
    ShipmentFailed,
    RefundIssued,
    ReturnReceived,
    // Asked for by a person.
    CancelRequested,
    ReviewRefused,
    /// The warehouse answered that it stopped the order.
    WarehouseStopped,
    // Said.
    OrderReleased,
    OrderOnHold,
    FulfillmentRequested,
    OrderCancelled,
    OrderCompleted,
}

impl Kind {
    /// The wire type, or what stands for one where the fact is a request.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::OrderConfirmed => OrderConfirmed::TYPE,
            Kind::OrderRejected => OrderRejected::TYPE,
            Kind::StockCommitted => StockCommitted::TYPE,
            Kind::StockRejected => StockRejected::TYPE,
            Kind::InvoiceIssued => InvoiceIssued::TYPE,
            Kind::InvoiceFailed => InvoiceFailed::TYPE,
            Kind::FraudCleared => FraudCleared::TYPE,
            Kind::FraudFlagged => FraudFlagged::TYPE,
            Kind::ShipmentDispatched => ShipmentDispatched::TYPE,
            Kind::ShipmentDelivered => ShipmentDelivered::TYPE,
            Kind::ShipmentFailed => ShipmentFailed::TYPE,
            Kind::RefundIssued => RefundIssued::TYPE,
            Kind::ReturnReceived => ReturnReceived::TYPE,
            Kind::CancelRequested => "request.cancel",
            Kind::ReviewRefused => "request.refuse",
            Kind::WarehouseStopped => "answer.warehouse_stopped",
            Kind::OrderReleased => OrderReleased::TYPE,
            Kind::OrderOnHold => OrderOnHold::TYPE,
            Kind::FulfillmentRequested => FulfillmentRequested::TYPE,
            Kind::OrderCancelled => OrderCancelled::TYPE,
            Kind::OrderCompleted => OrderCompleted::TYPE,
        }
    }
}

/// One fact. Kind, ledger and part name it: the same again is the same fact, whatever event carried it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = "k")]
    pub kind: Kind,
    /// Whose units it is about, for facts of stock and shipments.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// The refund or return it is about.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The event that carried it; none for requests and for what OMS said.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// When it happened, in milliseconds since the Unix epoch.
    #[serde(rename = "t")]
    pub at_ms: i64,
}

impl Entry {
    /// A fact about the order as a whole.
    pub(crate) fn new(kind: Kind, at_ms: i64) -> Self {
        Self { kind, ledger: None, part: None, event_id: None, at_ms }
    }

    fn is_again(&self, other: &Entry) -> bool {
        self.kind == other.kind && self.ledger == other.ledger && self.part == other.part
    }
}

/// The set of facts about one order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Ledgers the order's lines are taken from; empty until the order was confirmed.
    #[serde(rename = "ledgers", default)]
    pub ledgers: Vec<Ledger>,
    /// The fraud engine's word at checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskLevel>,
    /// Why it was cancelled, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CancellationReason>,
    /// Every fact, in the order it became known.
    pub log: Vec<Entry>,
}

impl Facts {
    /// Whether there is a fact of this kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.log.iter().any(|entry| entry.kind == kind)
    }

    /// Whether there is a fact of this kind for every ledger of the order. False until the ledgers are known.
    pub(crate) fn has_for_all_ledgers(&self, kind: Kind) -> bool {
        !self.ledgers.is_empty() && self.ledgers.iter().all(|&ledger| self.has_for(kind, ledger))
    }

    /// Whether there is a fact of this kind for the ledger.
    pub(crate) fn has_for(&self, kind: Kind, ledger: Ledger) -> bool {
        self.log.iter().any(|entry| entry.kind == kind && entry.ledger == Some(ledger))
    }

    /// Adds a fact; false when it was known.
    pub(crate) fn add(&mut self, entry: Entry) -> bool {
        let new = !self.log.iter().any(|known| known.is_again(&entry));
        if new {
            self.log.push(entry);
        }
        new
    }

    /// Whether no further fact fits.
    pub(crate) fn is_full(&self) -> bool {
        self.log.len() >= MAX_FACTS
    }

    /// The latest time of a fact of this kind.
    pub(crate) fn latest_ms(&self, kind: Kind) -> Option<i64> {
        self.log.iter().filter(|entry| entry.kind == kind).map(|entry| entry.at_ms).max()
    }

    /// The event that began the order's story.
    pub(crate) fn first_event(&self) -> Option<&EventId> {
        let first = |kind| self.log.iter().find(|entry| entry.kind == kind);
        first(Kind::OrderConfirmed).or_else(|| first(Kind::OrderRejected))?.event_id.as_ref()
    }
}
