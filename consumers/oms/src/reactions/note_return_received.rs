//! Notes that a ledger may sell goods of a return again. Nothing follows from it.
//!
//! Listens to `fulfillment.return_received.v1`.

use events::fulfillment::ReturnReceived;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that a ledger may sell goods of a return again. Nothing follows from it.
pub(crate) struct NoteReturnReceived;

impl Reaction for NoteReturnReceived {
    const NAME: &'static str = "note-return-received";
    type Event = ReturnReceived;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnReceived>) -> Result<Vec<Event>, Failure> {
        hear(
            tx,
            &event.data.order_id,
            Entry {
                ledger: Some(event.data.ledger),
                part: Some(event.data.return_id.to_string()),
                ..heard(Kind::ReturnReceived, event)
            },
        )
    }
}
