//! Notes that money was given back. Nothing follows from it.
//!
//! Listens to `billing.refund_issued.v1`.

use events::billing::RefundIssued;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that money was given back. Nothing follows from it.
pub(crate) struct NoteRefundIssued;

impl Reaction for NoteRefundIssued {
    const NAME: &'static str = "note-refund-issued";
    type Event = RefundIssued;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<RefundIssued>) -> Result<Vec<Event>, Failure> {
        hear(
            tx,
            &event.data.order_id,
            Entry { part: Some(event.data.refund_id.to_string()), ..heard(Kind::RefundIssued, event) },
        )
    }
}
