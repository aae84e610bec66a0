//! Gives money back.
//!
//! Listens to `billing.refund_requested.v1`. Answers with `billing.refund_issued.v1`, once per refund.

use events::billing::{RefundIssued, RefundRequested};
use events::id::derived;
use events::{Envelope, Event, InvoiceId, Money, OrderId, RefundId};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::invoices::{Issued, Status};
use crate::ledger::{self, Account, Kind, Move, Opened};
use crate::{decide, invoices};

/// Gives money back.
pub(crate) struct PayRefund;

impl Reaction for PayRefund {
    const NAME: &'static str = "pay-refund";
    type Event = RefundRequested;

    /// # Errors
    /// [`Failure::Transient`] while the order has no invoice yet; [`Failure::Permanent`] for more than is left of the invoice.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<RefundRequested>) -> Result<Vec<Event>, Failure> {
        let RefundRequested { order_id, refund_id, amount, .. } = &event.data;
        let amount_minor = decide::minor(amount, "amount")?;
        let invoice = invoices::invoice(tx, order_id)?
            .ok_or_else(|| Failure::transient("invoice_pending", "the order has no invoice yet"))?;
        let paid = Refund { order_id, refund_id, amount_minor };
        Ok(pay(tx, &paid, invoice.issued()?, Status::Issued)?.into_iter().collect())
    }
}

/// A refund to be paid.
pub(crate) struct Refund<'a> {
    pub(crate) order_id: &'a OrderId,
    pub(crate) refund_id: &'a RefundId,
    /// Hundredths.
    pub(crate) amount_minor: i64,
}

/// Pays a refund by a credit note and leaves the invoice in `status`. Nothing is said for one that was paid before.
///
/// # Errors
/// [`Failure::Permanent`] for more than is left of the invoice.
pub(crate) fn pay(
    tx: &mut Tx<'_>,
    refund: &Refund<'_>,
    issued: Issued,
    status: Status,
) -> Result<Option<Event>, Failure> {
    let Refund { order_id, refund_id, amount_minor } = *refund;
    let Issued { customer_id, mut books, .. } = issued;
    let Opened::New(opening) = ledger::open(tx, Kind::Refund, refund_id.as_str(), Some(order_id.as_str()))? else {
        return Ok(None);
    };
    let taken = decide::refund(&mut books, amount_minor)
        .map_err(|misfit| Failure::permanent("illegal_state", misfit.to_string()))?;
    let credit = Account::AccountsReceivable;
    let moves = [
        Move { debit: Account::SalesReturns, credit, amount_minor: taken.earned_minor },
        Move { debit: Account::DeferredRevenue, credit, amount_minor: taken.deferred_minor },
    ];
    opening.post(tx, &moves)?;
    invoices::keep(tx, order_id, status, &books)?;
    let fact = RefundIssued {
        order_id: order_id.clone(),
        customer_id,
        refund_id: refund_id.clone(),
        credit_note_id: InvoiceId::from_uuid(derived("credit-note", refund_id.as_str())),
        amount: Money::from_minor(amount_minor),
    };
    Ok(Some(fact.into()))
}
