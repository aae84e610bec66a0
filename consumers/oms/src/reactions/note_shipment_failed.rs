//! Notes that the warehouse ships nothing for the order, which ends it; or that one shipment could not be delivered, which is paid back.
//!
//! Listens to `fulfillment.shipment_failed.v1`.

use events::fulfillment::ShipmentFailed;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind, Units};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that nothing was shipped, or that a shipment was lost.
pub(crate) struct NoteShipmentFailed;

impl Reaction for NoteShipmentFailed {
    const NAME: &'static str = "note-shipment-failed";
    type Event = ShipmentFailed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentFailed>) -> Result<Vec<Event>, Failure> {
        let ShipmentFailed { order_id, shipment_id, ledger, lines, .. } = &event.data;
        let entry = match shipment_id {
            None => heard(Kind::ShipmentFailed, event),
            Some(shipment_id) => Entry {
                ledger: *ledger,
                part: Some(shipment_id.to_string()),
                units: Units::of(lines),
                ..heard(Kind::ShipmentLost, event)
            },
        };
        hear(tx, order_id, entry)
    }
}
