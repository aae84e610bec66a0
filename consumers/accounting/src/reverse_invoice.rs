//! Takes the invoice of a cancelled order back.
//!
//! Listens to `order.cancelled.v1`. Answers with `billing.refund_issued.v1` when there was something to give back.

use events::id::derived;
use events::order::OrderCancelled;
use events::states::invoice::Trigger;
use events::{Envelope, Event, RefundId};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::decide::Why;
use crate::invoices::Invoice;
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
        let Some(invoice) = invoices::invoice(tx, order_id)? else {
            invoices::cancel(tx, order_id)?;
            return Ok(Vec::new());
        };
        if invoice.next(Trigger::Cancel)? == invoice.status {
            // It never stood, or was taken back before.
            return Ok(Vec::new());
        }
        reverse(tx, event, invoice)
    }
}

fn reverse(tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>, invoice: Invoice) -> Result<Vec<Event>, Failure> {
    let order_id = &event.data.order_id;
    let left_minor = decide::left_minor(&invoice.books);
    if left_minor == 0 {
        invoices::keep(tx, order_id, invoice.next(Trigger::Cancel)?, &invoice.books)?;
        return Ok(Vec::new());
    }
    let refund_id = RefundId::from_uuid(derived("refund-of-cancelled", order_id.as_str()));
    // Nothing of a cancelled order arrived, so nothing of it stays earned.
    let refund = Refund { order_id, refund_id: &refund_id, amount_minor: left_minor, why: Why::Undelivered };
    Ok(pay(tx, &refund, invoice, Trigger::Cancel)?.into_iter().collect())
}
