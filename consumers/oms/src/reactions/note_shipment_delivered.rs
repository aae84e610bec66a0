//! Notes that a shipment arrived; the last one completes the order.
//!
//! Listens to `fulfillment.shipment_delivered.v1`.

use events::fulfillment::ShipmentDelivered;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind, Units};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that a shipment arrived; the last one completes the order.
pub(crate) struct NoteShipmentDelivered;

impl Reaction for NoteShipmentDelivered {
    const NAME: &'static str = "note-shipment-delivered";
    type Event = ShipmentDelivered;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentDelivered>) -> Result<Vec<Event>, Failure> {
        hear(
            tx,
            &event.data.order_id,
            Entry {
                ledger: Some(event.data.ledger),
                part: Some(event.data.shipment_id.to_string()),
                units: Units::of(&event.data.lines),
                ..heard(Kind::ShipmentDelivered, event)
            },
        )
    }
}
