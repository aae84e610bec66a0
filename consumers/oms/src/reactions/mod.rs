//! What OMS does about each event: it adds the fact to the order's set, and says what follows from the whole.

mod close_rejected;
mod note_fraud_cleared;
mod note_fraud_flagged;
mod note_invoice_failed;
mod note_invoice_issued;
mod note_refund_issued;
mod note_return_closed;
mod note_return_received;
mod note_shipment_delivered;
mod note_shipment_dispatched;
mod note_shipment_failed;
mod note_stock_committed;
mod note_stock_rejected;
mod open_order;
mod watch_orders;

use events::Envelope;
use runtime::Consumer;

use self::close_rejected::CloseRejected;
use self::note_fraud_cleared::NoteFraudCleared;
use self::note_fraud_flagged::NoteFraudFlagged;
use self::note_invoice_failed::NoteInvoiceFailed;
use self::note_invoice_issued::NoteInvoiceIssued;
use self::note_refund_issued::NoteRefundIssued;
use self::note_return_closed::NoteReturnClosed;
use self::note_return_received::NoteReturnReceived;
use self::note_shipment_delivered::NoteShipmentDelivered;
use self::note_shipment_dispatched::NoteShipmentDispatched;
use self::note_shipment_failed::NoteShipmentFailed;
use self::note_stock_committed::NoteStockCommitted;
use self::note_stock_rejected::NoteStockRejected;
use self::open_order::OpenOrder;
use self::watch_orders::WatchOrders;
use crate::deadlines::Deadlines;
use crate::facts::{Entry, Kind};

/// The consumer `oms` with the deadlines nobody changed.
#[must_use]
pub fn consumer() -> Consumer {
    consumer_with(Deadlines::default())
}

/// The consumer `oms`.
#[must_use]
pub fn consumer_with(deadlines: Deadlines) -> Consumer {
    Consumer::new(crate::service::NAME)
        .on(OpenOrder)
        .on(CloseRejected)
        .on(NoteStockCommitted)
        .on(NoteStockRejected)
        .on(NoteInvoiceIssued)
        .on(NoteInvoiceFailed)
        .on(NoteFraudCleared)
        .on(NoteFraudFlagged)
        .on(NoteShipmentDispatched)
        .on(NoteShipmentDelivered)
        .on(NoteShipmentFailed)
        .on(NoteRefundIssued)
        .on(NoteReturnReceived)
        .on(WatchOrders { deadlines })
        .on(NoteReturnClosed)
}

/// The fact an event carried, about the order as a whole.
fn heard<E>(kind: Kind, event: &Envelope<E>) -> Entry {
    Entry { event_id: Some(event.id.clone()), ..Entry::new(kind, event.time.as_millisecond()) }
}
