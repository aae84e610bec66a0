//! Notes that the order is invoiced; the last missing yes has the order shipped.
//!
//! Listens to `billing.invoice_issued.v1`.

use events::billing::InvoiceIssued;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::hear;
use crate::reactions::heard;

/// Notes that the order is invoiced; the last missing yes has the order shipped.
pub(crate) struct NoteInvoiceIssued;

impl Reaction for NoteInvoiceIssued {
    const NAME: &'static str = "note-invoice-issued";
    type Event = InvoiceIssued;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<InvoiceIssued>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, heard(Kind::InvoiceIssued, event))
    }
}
