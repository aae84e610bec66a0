//! Notes that the customer cannot be invoiced, which ends the order.
//!
//! Listens to `billing.invoice_failed.v1`.

use events::billing::InvoiceFailed;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::hear;
use crate::reactions::heard;

/// Notes that the customer cannot be invoiced, which ends the order.
pub(crate) struct NoteInvoiceFailed;

impl Reaction for NoteInvoiceFailed {
    const NAME: &'static str = "note-invoice-failed";
    type Event = InvoiceFailed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<InvoiceFailed>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, heard(Kind::InvoiceFailed, event))
    }
}
