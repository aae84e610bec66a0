//! Notes that the warehouse ships nothing for the order, which ends it.
//!
//! Listens to `fulfillment.shipment_failed.v1`.

use events::fulfillment::ShipmentFailed;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::hear;
use crate::reactions::heard;

/// Notes that the warehouse ships nothing for the order, which ends it.
pub(crate) struct NoteShipmentFailed;

impl Reaction for NoteShipmentFailed {
    const NAME: &'static str = "note-shipment-failed";
    type Event = ShipmentFailed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentFailed>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, heard(Kind::ShipmentFailed, event))
    }
}
