//! Invoices over REST: shown by order, and issued by the same command as the event.

use ::store::{StoreError, Tx};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::billing::InvoiceRequested;
use events::{Fact, InvoiceId, Money, OrderId, RefundId, Timestamp};
use runtime::{CallError, Cause, Failure, Problem, clock};
use schemars::JsonSchema;
use serde::Serialize;

use super::House;
use crate::credit_notes::{self, CreditNote};
use crate::decide;
use crate::invoices::{self, Invoice, Status};
use crate::issue_invoice::issue;

/// An invoice as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvoiceView {
    order_id: String,
    invoice_id: Option<String>,
    status: &'static str,
    total: Money,
    revenue_recognized: Money,
    refunded: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    credit_notes: Vec<CreditNoteView>,
}

/// A credit note as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreditNoteView {
    credit_note_id: InvoiceId,
    /// `CN-` and at least eight digits.
    number: String,
    refund_id: RefundId,
    amount: Money,
    issued_at: Timestamp,
}

impl From<CreditNote> for CreditNoteView {
    fn from(CreditNote { number, refund_id, amount_minor, issued_at_ms }: CreditNote) -> Self {
        Self {
            credit_note_id: credit_notes::credit_note_id(&refund_id),
            number: format!("CN-{number:08}"),
            refund_id,
            amount: Money::from_minor(amount_minor),
            issued_at: clock::from_ms(issued_at_ms),
        }
    }
}

/// The order's invoice with its credit notes, if it has one.
fn find(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Option<InvoiceView>, StoreError> {
    let Some(invoice) = invoices::invoice(tx, order_id)? else { return Ok(None) };
    let credit_notes = credit_notes::of_order(tx, order_id)?;
    Ok(Some(view(order_id, invoice, credit_notes)))
}

fn view(order_id: &OrderId, invoice: Invoice, credit_notes: Vec<CreditNote>) -> InvoiceView {
    InvoiceView {
        order_id: order_id.as_str().to_owned(),
        invoice_id: invoice.invoice_id.map(|id| id.as_str().to_owned()),
        status: invoice.status.as_str(),
        total: Money::from_minor(invoice.books.total_minor),
        revenue_recognized: Money::from_minor(invoice.books.recognized_minor),
        refunded: Money::from_minor(invoice.books.refunded_minor),
        code: invoice.code,
        credit_notes: credit_notes.into_iter().map(CreditNoteView::from).collect(),
    }
}

pub(super) async fn show(
    State(door): State<House>,
    Path(order_id): Path<String>,
) -> Result<Json<InvoiceView>, Problem> {
    let order_id: OrderId = order_id.parse().map_err(|_| Problem::not_found("invoice"))?;
    let found: Option<InvoiceView> = door.transactor.store().read(move |tx| find(tx, &order_id)).await?;
    // A cancelled order for which no invoice was asked has none.
    let found = found.filter(|view| view.status != Status::Cancelled.as_str());
    found.map(Json).ok_or_else(|| Problem::not_found("invoice"))
}

/// Issues an order's invoice. A refusal is committed and said like an invoice, then told to the client.
pub(super) async fn create(
    door: &House,
    mut request: InvoiceRequested,
) -> Result<(StatusCode, Json<InvoiceView>), Problem> {
    request.check()?;
    decide::open(&request)?;
    let (billing, sealed_id) = door.crm.named_billing(&request.customer_id).await.map_err(unanswered)?;
    // A client may name the customer as they are known to it; here they are known by their sealed id.
    request.customer_id = sealed_id;
    let cause = Cause::Request { correlation_id: None, traceparent: None };
    let (new, view) = door
        .transactor
        .run(cause, move |tx| {
            tx.lock(request.order_id.as_str())?;
            let facts = issue(tx, &request, billing)?;
            let view = find(tx, &request.order_id)?;
            Ok::<_, Failure>(((!facts.is_empty(), view), facts))
        })
        .await?;
    let view = view.ok_or_else(|| Problem::internal("an invoice just issued is not there"))?;
    match &view.code {
        Some(code) => Err(Problem::unprocessable(code, "the order cannot be invoiced")),
        None => Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(view))),
    }
}

fn unanswered(error: CallError) -> Problem {
    match error {
        CallError::Unavailable { .. } | CallError::TurnedAway { .. } => {
            Problem::unavailable("peer_unavailable", "the CRM cannot answer now, try again")
        }
        error => Problem::internal(&error.to_string()),
    }
}
