//! Notes that a shipment left the house: from here on the order cannot be cancelled.
//!
//! Listens to `fulfillment.shipment_dispatched.v1`.

use events::fulfillment::ShipmentDispatched;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind, Units};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that a shipment left the house: from here on the order cannot be cancelled.
pub(crate) struct NoteShipmentDispatched;

impl Reaction for NoteShipmentDispatched {
    const NAME: &'static str = "note-shipment-dispatched";
    type Event = ShipmentDispatched;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentDispatched>) -> Result<Vec<Event>, Failure> {
        hear(
            tx,
            &event.data.order_id,
            Entry {
                ledger: Some(event.data.ledger),
                part: Some(event.data.shipment_id.to_string()),
                units: Units::of(&event.data.lines),
                ..heard(Kind::ShipmentDispatched, event)
            },
        )
    }
}
