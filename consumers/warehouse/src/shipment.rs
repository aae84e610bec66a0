//! A shipment: the lines of one order that lie in one ledger.

use events::fulfillment::{ShipmentCreated, ShipmentDelivered, ShipmentDispatched};
use events::id::derived;
use events::{Event, EventId, Ledger, OrderId, ShipmentId, StockLine, Timestamp};
use runtime::{Cause, clock};
use serde::{Deserialize, Serialize};

/// How far a shipment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Being packed.
    Created,
    /// With the carrier.
    Dispatched,
    /// With the customer.
    Delivered,
    /// Never left.
    Cancelled,
}

impl Status {
    /// The name in tables and answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Dispatched => "dispatched",
            Status::Delivered => "delivered",
            Status::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Status::Created, Status::Dispatched, Status::Delivered, Status::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// What a shipment was asked for by, kept so that what is said about it later belongs to the same story.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Story {
    /// The event that asked; none for a REST call.
    pub cause_id: Option<EventId>,
    /// The story's first event; none for a REST call.
    pub correlation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Story {
    /// The cause of what `reaction` says in this story. With an event behind it the ids derive from it.
    pub(crate) fn cause(self, reaction: String) -> Cause {
        let Self { cause_id, correlation_id, traceparent } = self;
        match (cause_id, correlation_id) {
            (Some(id), Some(correlation_id)) => Cause::Event { id, correlation_id, reaction, traceparent },
            (_, correlation_id) => Cause::Request { correlation_id, traceparent },
        }
    }
}

/// One shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shipment {
    pub shipment_id: ShipmentId,
    pub order_id: OrderId,
    pub ledger: Ledger,
    pub status: Status,
    pub lines: Vec<StockLine>,
    /// Where it is picked.
    pub location: String,
    /// When its next step is due, in milliseconds since the Unix epoch; none when there is none.
    pub due_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub dispatched_at_ms: Option<i64>,
    pub delivered_at_ms: Option<i64>,
    pub story: Story,
}

/// The id of an order's shipment from one ledger: whoever asks, it is the same.
pub(crate) fn shipment_id(order_id: &OrderId, ledger: Ledger) -> ShipmentId {
    ShipmentId::from_uuid(derived("shipment", &format!("{order_id}/{ledger}")))
}

impl Shipment {
    /// Who carries it: freight goes its own way.
    pub(crate) fn carrier(&self) -> &'static str {
        match self.ledger {
            Ledger::Inventory => "Boutique Parcel",
            Ledger::Furniture => "Boutique Freight",
        }
    }

    /// The carrier's number for it.
    pub(crate) fn tracking_number(&self) -> String {
        let number = derived("tracking", self.shipment_id.as_str()).simple().to_string();
        format!("OB{}", number[..16].to_ascii_uppercase())
    }

    /// Whether it left the house.
    pub(crate) fn has_left(&self) -> bool {
        matches!(self.status, Status::Dispatched | Status::Delivered)
    }

    pub(crate) fn created(&self) -> Event {
        ShipmentCreated {
            order_id: self.order_id.clone(),
            shipment_id: self.shipment_id.clone(),
            ledger: self.ledger,
            lines: self.lines.clone(),
            location: self.location.clone(),
        }
        .into()
    }

    pub(crate) fn dispatched(&self) -> Event {
        ShipmentDispatched {
            order_id: self.order_id.clone(),
            shipment_id: self.shipment_id.clone(),
            ledger: self.ledger,
            lines: self.lines.clone(),
            carrier: self.carrier().to_owned(),
            tracking_number: self.tracking_number(),
        }
        .into()
    }

    pub(crate) fn delivered(&self) -> Event {
        ShipmentDelivered {
            order_id: self.order_id.clone(),
            shipment_id: self.shipment_id.clone(),
            ledger: self.ledger,
        }
        .into()
    }
}

/// A shipment as the REST doors show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShipmentView {
    shipment_id: ShipmentId,
    order_id: OrderId,
    ledger: Ledger,
    status: Status,
    lines: Vec<StockLine>,
    location: String,
    /// Known from dispatch on, as is the tracking number.
    carrier: Option<&'static str>,
    tracking_number: Option<String>,
    created_at: Timestamp,
    dispatched_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
}

impl From<Shipment> for ShipmentView {
    fn from(shipment: Shipment) -> Self {
        let left = shipment.has_left();
        Self {
            carrier: left.then(|| shipment.carrier()),
            tracking_number: left.then(|| shipment.tracking_number()),
            created_at: clock::from_ms(shipment.created_at_ms),
            dispatched_at: shipment.dispatched_at_ms.map(clock::from_ms),
            delivered_at: shipment.delivered_at_ms.map(clock::from_ms),
            shipment_id: shipment.shipment_id,
            order_id: shipment.order_id,
            ledger: shipment.ledger,
            status: shipment.status,
            lines: shipment.lines,
            location: shipment.location,
        }
    }
}
