//! What OMS knows about one order: every fact it heard, every request it granted and everything it said, as one small set.

use events::billing::{InvoiceFailed, InvoiceIssued, RefundIssued, RefundRequested};
use events::fulfillment::{
    FulfillmentRequested, ReturnClosed, ReturnReceived, ReturnRequested, ShipmentDelivered, ShipmentDispatched,
    ShipmentFailed,
};
use events::inventory::{StockCommitted, StockRejected};
use events::order::{
    CancellationReason, OrderCancelled, OrderCompleted, OrderConfirmed, OrderOnHold, OrderRejected, OrderReleased,
    OrderStuck,
};
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{EventId, Fact, Ledger, ProductId, StockLine};
use serde::{Deserialize, Serialize};

/// The most facts kept about one order. Most have about 20; the rest is room for 100 lines that travel alone and come back alone, which
/// makes eight facts each, and for returns asked for anew. What is granted stays below it (`crate::room`).
pub(crate) const MAX_FACTS: usize = 1_200;

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
    /// Nothing of the order was or will be shipped.
    ShipmentFailed,
    /// One shipment that left could not be delivered.
    ShipmentLost,
    RefundIssued,
    ReturnReceived,
    /// The goods of a return were inspected.
    ReturnClosed,
    /// The goods of a return did not come in time.
    ReturnLapsed,
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
    /// A step was silent past its deadline; which one is its part.
    OrderStuck,
    ReturnRequested,
    RefundRequested,
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
            Kind::ShipmentFailed | Kind::ShipmentLost => ShipmentFailed::TYPE,
            Kind::RefundIssued => RefundIssued::TYPE,
            Kind::ReturnReceived => ReturnReceived::TYPE,
            Kind::ReturnClosed | Kind::ReturnLapsed => ReturnClosed::TYPE,
            Kind::CancelRequested => "request.cancel",
            Kind::ReviewRefused => "request.refuse",
            Kind::WarehouseStopped => "answer.warehouse_stopped",
            Kind::OrderReleased => OrderReleased::TYPE,
            Kind::OrderOnHold => OrderOnHold::TYPE,
            Kind::FulfillmentRequested => FulfillmentRequested::TYPE,
            Kind::OrderCancelled => OrderCancelled::TYPE,
            Kind::OrderCompleted => OrderCompleted::TYPE,
            Kind::OrderStuck => OrderStuck::TYPE,
            Kind::ReturnRequested => ReturnRequested::TYPE,
            Kind::RefundRequested => RefundRequested::TYPE,
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
    /// The shipment, refund, return or missing step it is about.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The units it is about. None where it is about everything of its ledger, or about no units.
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Units>,
    /// How much of a unit's price is given back for one the customer damaged, in percent; kept with the return it was promised for and
    /// with the refund it counted in.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub damaged_percent: Option<u32>,
    /// What OMS asked to be given back, in hundredths.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
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
        Self {
            kind,
            ledger: None,
            part: None,
            units: Vec::new(),
            damaged_percent: None,
            amount_minor: None,
            event_id: None,
            at_ms,
        }
    }

    /// A fact about the units of one part of the order.
    pub(crate) fn of_part(kind: Kind, part: &str, units: Vec<Units>, at_ms: i64) -> Self {
        Self { part: Some(part.to_owned()), units, ..Self::new(kind, at_ms) }
    }

    fn is_again(&self, other: &Entry) -> bool {
        self.kind == other.kind && self.ledger == other.ledger && self.part == other.part
    }
}

/// Units of one product. In a return that was inspected: those that are paid for in full, and those the customer damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Units {
    #[serde(rename = "p")]
    pub product_id: ProductId,
    #[serde(rename = "q")]
    pub quantity: u32,
    #[serde(rename = "d", default, skip_serializing_if = "is_none")]
    pub damaged: u32,
}

fn is_none(units: &u32) -> bool {
    *units == 0
}

fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

impl Units {
    /// The units of stock lines.
    pub(crate) fn of(lines: &[StockLine]) -> Vec<Units> {
        let units =
            |line: &StockLine| Units { product_id: line.product_id.clone(), quantity: line.quantity, damaged: 0 };
        lines.iter().map(units).collect()
    }
}

/// One product of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bought {
    #[serde(rename = "p")]
    pub product_id: ProductId,
    #[serde(rename = "l")]
    pub ledger: Ledger,
    #[serde(rename = "q")]
    pub quantity: u32,
    /// All its units at catalogue price, in hundredths.
    #[serde(rename = "g")]
    pub gross_minor: i64,
}

/// The set of facts about one order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// What was bought, each product once; empty until the order was confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bought: Vec<Bought>,
    /// What was paid, in hundredths; 0 until the order was confirmed.
    #[serde(default, rename = "paid", skip_serializing_if = "is_nothing")]
    pub paid_minor: i64,
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
    /// Takes over what was bought. Amounts that are no whole hundredths are rounded; a price that does not fit counts for nothing.
    pub(crate) fn open(&mut self, confirmed: &OrderConfirmed) {
        self.ledgers = Ledger::ALL
            .into_iter()
            .filter(|ledger| confirmed.lines.iter().any(|line| line.ledger == *ledger))
            .collect();
        self.risk = Some(confirmed.risk);
        self.paid_minor = confirmed.total.minor().unwrap_or_default();
        self.bought.clear();
        for line in &confirmed.lines {
            let gross_minor = line.total().and_then(|total| total.minor()).unwrap_or_default();
            match self.bought.iter_mut().find(|known| known.product_id == line.product_id) {
                Some(known) => {
                    known.quantity = known.quantity.saturating_add(line.quantity);
                    known.gross_minor = known.gross_minor.saturating_add(gross_minor);
                }
                None => {
                    let (product_id, ledger, quantity) = (line.product_id.clone(), line.ledger, line.quantity);
                    self.bought.push(Bought { product_id, ledger, quantity, gross_minor });
                }
            }
        }
    }

    /// Whether there is a fact of this kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.log.iter().any(|entry| entry.kind == kind)
    }

    /// Whether there is a fact of this kind for every ledger of the order. False until the ledgers are known.
    pub(crate) fn has_for_all_ledgers(&self, kind: Kind) -> bool {
        !self.ledgers.is_empty() && self.ledgers.iter().all(|&ledger| self.has_for(kind, ledger))
    }

    /// Every fact of this kind.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(move |entry| entry.kind == kind)
    }

    /// The fact of this kind about a part.
    pub(crate) fn about(&self, kind: Kind, part: &str) -> Option<&Entry> {
        self.all(kind).find(|entry| entry.part.as_deref() == Some(part))
    }

    /// Whether facts of these kinds are about every unit that was bought. False until that is known.
    pub(crate) fn cover(&self, kinds: &[Kind]) -> bool {
        !self.bought.is_empty() && self.bought.iter().all(|line| self.covers(kinds, line))
    }

    /// Whether facts of these kinds are about every unit of a product.
    pub(crate) fn covers(&self, kinds: &[Kind], line: &Bought) -> bool {
        self.units_of(kinds, line) >= line.quantity
    }

    /// Units of a product that facts of these kinds are about, each shipment counted once; all of them where a fact is about everything
    /// of its ledger.
    pub(crate) fn units_of(&self, kinds: &[Kind], line: &Bought) -> u32 {
        let mut parts: Vec<Option<&str>> = Vec::new();
        let mut sum: u32 = 0;
        for entry in self.log.iter().filter(|entry| kinds.contains(&entry.kind)) {
            if parts.contains(&entry.part.as_deref()) && entry.part.is_some() {
                continue;
            }
            parts.push(entry.part.as_deref());
            if entry.units.is_empty() && entry.ledger == Some(line.ledger) {
                return line.quantity;
            }
            let units = entry.units.iter().filter(|units| units.product_id == line.product_id);
            sum = sum.saturating_add(units.map(|units| units.quantity + units.damaged).sum());
        }
        sum
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

    /// Whether nothing further fits but what settles something that was granted (`crate::room`).
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
