//! Issues the invoice of a confirmed order.
//!
//! Listens to `billing.invoice_requested.v1`. Answers with `billing.invoice_issued.v1` or `billing.invoice_failed.v1`, once per order.

use events::billing::{InvoiceFailed, InvoiceIssued, InvoiceRequested};
use events::{Envelope, Event, Money};
use runtime::{Code, Failure, Inquiry, codes};
use store::Tx;

use crate::crm::Crm;
use crate::decide::{self, Billing};
use crate::invoices;
use crate::ledger::{self, Account, Kind, Move, Opened};

/// Issues the invoice of an order.
pub(crate) struct IssueInvoice {
    crm: Crm,
    /// The defect on purpose of [`Config`](crate::Config).
    fail: Option<Code>,
}

impl IssueInvoice {
    pub(crate) fn new(crm: Crm, fail: Option<Code>) -> Self {
        Self { crm, fail }
    }
}

impl Inquiry for IssueInvoice {
    const NAME: &'static str = "issue-invoice";
    type Event = InvoiceRequested;
    type Answer = Billing;

    /// # Errors
    /// [`Failure::Transient`] while the CRM is out of reach.
    async fn ask(&self, event: &Envelope<InvoiceRequested>) -> Result<Billing, Failure> {
        Ok(self.crm.billing(&event.data.customer_id).await?)
    }

    /// # Errors
    /// [`Failure::Permanent`] for amounts that do not add up. A customer who cannot be billed is not an error: it is the answer
    /// [`InvoiceFailed`].
    fn handle(
        &self,
        tx: &mut Tx<'_>,
        event: &Envelope<InvoiceRequested>,
        billing: Billing,
    ) -> Result<Vec<Event>, Failure> {
        if let Some(code) = self.fail {
            let reason = format!("the invoice of order {} cannot be issued: told to fail", event.data.order_id);
            return Err(match code.kind() {
                codes::Kind::Transient => Failure::transient(code, reason),
                codes::Kind::Permanent => Failure::permanent(code, reason),
            });
        }
        issue(tx, &event.data, billing)
    }
}

/// The command behind the event and the REST door. An order that has its invoice, or its refusal, keeps it and nothing is said.
///
/// # Errors
/// As [`IssueInvoice::handle`].
pub(crate) fn issue(tx: &mut Tx<'_>, request: &InvoiceRequested, billing: Billing) -> Result<Vec<Event>, Failure> {
    let books = decide::open(request)?;
    let refusal = billing.refusal();
    if !invoices::add(tx, request, &books, refusal.map(|(code, _)| code))? {
        return again(tx, request, books.total_minor);
    }
    if let Some((code, reason)) = refusal {
        return Ok(vec![failed(request, code, reason)]);
    }
    let order_id = request.order_id.as_str();
    if let Opened::New(opening) = ledger::open(tx, Kind::Invoice, order_id, Some(order_id))? {
        let (debit, credit) = (Account::AccountsReceivable, Account::DeferredRevenue);
        opening.post(tx, &[Move { debit, credit, amount_minor: books.total_minor }])?;
    }
    let invoice_id = invoices::invoice_id(&request.order_id);
    let total = Money::from_minor(books.total_minor);
    Ok(vec![InvoiceIssued { order_id: request.order_id.clone(), invoice_id, total }.into()])
}

/// The order was heard of before: nothing new, unless it was cancelled before its invoice was asked for.
fn again(tx: &mut Tx<'_>, request: &InvoiceRequested, total_minor: i64) -> Result<Vec<Event>, Failure> {
    let code = "order_cancelled";
    if invoices::fail(tx, request, total_minor, code)? {
        return Ok(vec![failed(request, code, "the order was cancelled before its invoice was issued")]);
    }
    Ok(Vec::new())
}

fn failed(request: &InvoiceRequested, code: &str, reason: &str) -> Event {
    InvoiceFailed { order_id: request.order_id.clone(), code: code.to_owned(), reason: reason.to_owned() }.into()
}
