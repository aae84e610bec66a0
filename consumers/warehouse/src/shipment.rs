//! A shipment: lines of one order that leave together. Everything of the inventory ledger is one; freight goes one product at a time.

use events::fulfillment::{ShipmentCreated, ShipmentDelivered, ShipmentDispatched, ShipmentFailed};
use events::id::derived;
use events::{Event, EventId, Ledger, OrderId, ProductId, ShipmentId, StockLine, Timestamp};
use runtime::{Cause, clock};
use schemars::JsonSchema;
use serde::Serialize;

/// How far a shipment is.
pub(crate) use events::states::shipment::State as Status;

use crate::tracking::TrackingView;

/// How often a delivery is tried.
pub(crate) const MAX_ATTEMPTS: u32 = 2;
/// `ShipmentFailed`: the last delivery failed.
const UNDELIVERABLE: &str = "undeliverable";

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
    /// The freight's product; none for what goes together.
    pub part: Option<ProductId>,
    pub status: Status,
    /// Which delivery it is at, 1..=[`MAX_ATTEMPTS`]; while it is made ready again, the one to come.
    pub attempt: u32,
    pub lines: Vec<StockLine>,
    /// Where it is picked.
    pub location: String,
    /// When its next step is due, in milliseconds since the Unix epoch; none when there is none, or the carrier's to say.
    pub due_at_ms: Option<i64>,
    pub created_at_ms: i64,
    /// When it left last, in milliseconds since the Unix epoch.
    pub dispatched_at_ms: Option<i64>,
    pub delivered_at_ms: Option<i64>,
    /// When its last delivery failed, in milliseconds since the Unix epoch.
    pub failed_at_ms: Option<i64>,
    pub story: Story,
}

/// The id of an order's shipment from one ledger, of freight of one product: whoever asks, it is the same.
pub(crate) fn shipment_id(order_id: &OrderId, ledger: Ledger, part: Option<&ProductId>) -> ShipmentId {
    let of = match part {
        Some(product_id) => format!("{order_id}/{ledger}/{product_id}"),
        None => format!("{order_id}/{ledger}"),
    };
    ShipmentId::from_uuid(derived("shipment", &of))
}

impl Shipment {
    /// Who carries it: freight goes its own way.
    pub(crate) fn carrier(&self) -> &'static str {
        match self.ledger {
            Ledger::Inventory => "Boutique Parcel",
            Ledger::Furniture => "Boutique Freight",
        }
    }

    /// The carrier's number for one delivery of it.
    pub(crate) fn tracking_number(&self, attempt: u32) -> String {
        let of = match attempt {
            0 | 1 => self.shipment_id.to_string(),
            attempt => format!("{}/{attempt}", self.shipment_id),
        };
        let number = derived("tracking", &of).simple().to_string();
        format!("OB{}", number[..16].to_ascii_uppercase())
    }

    /// The delivery that left last; 0 when none did.
    pub(crate) fn last_departure(&self) -> u32 {
        match self.status {
            Status::Created | Status::Cancelled => 0,
            Status::Retrying => self.attempt - 1,
            Status::Dispatched | Status::Delivered | Status::Failed => self.attempt,
        }
    }

    /// Whether it left the house.
    pub(crate) fn has_left(&self) -> bool {
        self.last_departure() > 0
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
            tracking_number: self.tracking_number(self.attempt),
            attempt: (self.attempt > 1).then_some(self.attempt),
        }
        .into()
    }

    pub(crate) fn delivered(&self) -> Event {
        ShipmentDelivered {
            order_id: self.order_id.clone(),
            shipment_id: self.shipment_id.clone(),
            ledger: self.ledger,
            lines: self.lines.clone(),
        }
        .into()
    }

    pub(crate) fn failed(&self) -> Event {
        ShipmentFailed {
            order_id: self.order_id.clone(),
            code: UNDELIVERABLE.to_owned(),
            reason: format!("delivery failed {} times", self.attempt),
            shipment_id: Some(self.shipment_id.clone()),
            ledger: Some(self.ledger),
            lines: self.lines.clone(),
        }
        .into()
    }
}

/// A shipment as the REST doors show it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShipmentView {
    shipment_id: ShipmentId,
    order_id: OrderId,
    ledger: Ledger,
    status: Status,
    attempt: u32,
    lines: Vec<StockLine>,
    location: String,
    /// Known from dispatch on, as is the tracking number.
    carrier: Option<&'static str>,
    tracking_number: Option<String>,
    created_at: Timestamp,
    dispatched_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    /// What the carrier reported; shown with one shipment, absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Vec<TrackingView>>,
}

impl ShipmentView {
    /// With what the carrier reported.
    pub(crate) fn with_tracking(shipment: Shipment, tracking: Vec<TrackingView>) -> Self {
        Self { tracking: Some(tracking), ..shipment.into() }
    }
}

impl From<Shipment> for ShipmentView {
    fn from(shipment: Shipment) -> Self {
        let departure = shipment.last_departure();
        Self {
            carrier: (departure > 0).then(|| shipment.carrier()),
            tracking_number: (departure > 0).then(|| shipment.tracking_number(departure)),
            created_at: clock::from_ms(shipment.created_at_ms),
            dispatched_at: shipment.dispatched_at_ms.map(clock::from_ms),
            delivered_at: shipment.delivered_at_ms.map(clock::from_ms),
            failed_at: shipment.failed_at_ms.map(clock::from_ms),
            shipment_id: shipment.shipment_id,
            order_id: shipment.order_id,
            ledger: shipment.ledger,
            status: shipment.status,
            attempt: shipment.attempt,
            lines: shipment.lines,
            location: shipment.location,
            tracking: None,
        }
    }
}
