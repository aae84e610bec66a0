//! Takes the invoice of a cancelled order back.
//!
//! Listens to `order.cancelled.v1`. Answers with `billing.refund_issued.v1` when there was something to give back.

use events::id::derived;
use events::order::OrderCancelled;
use events::{Envelope, Event, RefundId};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::invoices::{Invoice, Status};
use crate::pay_refund::{Refund, pay};
use crate::{decide, invoices};

/// Takes an invoice back.
pub(crate) struct ReverseInvoice;

impl Reaction for ReverseInvoice {
    const NAME: &'static str = "reverse-invoice";
    type Event = OrderCancelled;

    /// # Errors
    /// [`Failure::Transient`] when the database fails. An order without an invoice is remembered, so that none is issued later.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        let order_id = &event.data.order_id;
        match invoices::invoice(tx, order_id)? {
            None => {
                invoices::cancel(tx, order_id)?;
                Ok(Vec::new())
            }
            Some(invoice) if invoice.status == Status::Issued => reverse(tx, event, invoice),
            // Cancelled, failed and reversed need nothing more.
            Some(_) => Ok(Vec::new()),
        }
    }
}

fn reverse(tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>, invoice: Invoice) -> Result<Vec<Event>, Failure> {
    let order_id = &event.data.order_id;
    let left_minor = decide::left_minor(&invoice.books);
    if left_minor == 0 {
        invoices::keep(tx, order_id, Status::Reversed, &invoice.books)?;
        return Ok(Vec::new());
    }
    let refund_id = RefundId::from_uuid(derived("refund-of-cancelled", order_id.as_str()));
    let refund = Refund { order_id, refund_id: &refund_id, amount_minor: left_minor };
    Ok(pay(tx, &refund, invoice.issued()?, Status::Reversed)?.into_iter().collect())
}
