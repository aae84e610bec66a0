//! Gives money back.
//!
//! Listens to `billing.refund_requested.v1`. Answers with `billing.refund_issued.v1`, once per refund.

use events::billing::{RefundIssued, RefundRequested};
use events::states::invoice::Trigger;
use events::{Envelope, Event, Money, OrderId, RefundId};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::decide::Why;
use crate::invoices::{Invoice, Issued, Status};
use crate::ledger::{self, Account, Kind, Move, Opened};
use crate::{credit_notes, decide, invoices};

/// Gives money back.
pub(crate) struct PayRefund;

impl Reaction for PayRefund {
    const NAME: &'static str = "pay-refund";
    type Event = RefundRequested;

    /// # Errors
    /// [`Failure::Transient`] while the order has no invoice yet; [`Failure::Permanent`] for more than is left of the invoice.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<RefundRequested>) -> Result<Vec<Event>, Failure> {
        let RefundRequested { order_id, refund_id, amount, shipment_id, .. } = &event.data;
        let amount_minor = decide::minor(amount, "amount")?;
        let invoice = invoices::invoice(tx, order_id)?
            .ok_or_else(|| Failure::transient(Code::InvoicePending, "the order has no invoice yet"))?;
        if invoice.next(Trigger::Refund)? == Status::Reversed {
            // The order was cancelled meanwhile, and all that was paid for it has been given back.
            return Ok(Vec::new());
        }
        let why = if shipment_id.is_some() { Why::Undelivered } else { Why::Returned };
        let paid = Refund { order_id, refund_id, amount_minor, why };
        Ok(pay(tx, &paid, invoice, Trigger::Refund)?.into_iter().collect())
    }
}

/// A refund to be paid.
pub(crate) struct Refund<'a> {
    pub(crate) order_id: &'a OrderId,
    pub(crate) refund_id: &'a RefundId,
    /// Hundredths.
    pub(crate) amount_minor: i64,
    pub(crate) why: Why,
}

/// Pays a refund by a credit note; the invoice goes where `trigger` leads. Nothing is said for one that was paid before.
///
/// # Errors
/// [`Failure::Permanent`] for an invoice that does not stand, or more than is left of it.
pub(crate) fn pay(
    tx: &mut Tx<'_>,
    refund: &Refund<'_>,
    invoice: Invoice,
    trigger: Trigger,
) -> Result<Option<Event>, Failure> {
    let Refund { order_id, refund_id, amount_minor, why } = *refund;
    let status = invoice.next(trigger)?;
    let Issued { customer_id, mut books, .. } = invoice.issued()?;
    let Opened::New(opening) = ledger::open(tx, Kind::Refund, refund_id.as_str(), Some(order_id.as_str()))? else {
        return Ok(None);
    };
    let taken = decide::refund(&mut books, amount_minor, why)
        .map_err(|misfit| Failure::permanent(Code::IllegalState, misfit.to_string()))?;
    let credit = Account::AccountsReceivable;
    let earned = match why {
        Why::Returned => Account::SalesReturns,
        Why::Undelivered => Account::Revenue,
    };
    let moves = [
        Move { debit: earned, credit, amount_minor: taken.earned_minor },
        Move { debit: Account::DeferredRevenue, credit, amount_minor: taken.deferred_minor },
    ];
    opening.post(tx, &moves)?;
    credit_notes::add(tx, order_id, refund_id, amount_minor)?;
    invoices::keep(tx, order_id, status, &books)?;
    let fact = RefundIssued {
        order_id: order_id.clone(),
        customer_id,
        refund_id: refund_id.clone(),
        credit_note_id: credit_notes::credit_note_id(refund_id),
        amount: Money::from_minor(amount_minor),
    };
    Ok(Some(fact.into()))
}
