//! Invoices over REST: shown by order, and issued by the same command as the event.

use ::store::StoreError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::billing::InvoiceRequested;
use events::{Fact, Money, OrderId};
use runtime::{CallError, Cause, Failure, Problem};
use serde::Serialize;

use super::Door;
use crate::decide;
use crate::invoices::{self, Invoice, Status};
use crate::issue_invoice::issue;

/// An invoice as clients see it.
#[derive(Debug, Serialize)]
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
}

fn view(order_id: &OrderId, invoice: Invoice) -> InvoiceView {
    InvoiceView {
        order_id: order_id.as_str().to_owned(),
        invoice_id: invoice.invoice_id.map(|id| id.as_str().to_owned()),
        status: invoice.status.as_str(),
        total: Money::from_minor(invoice.books.total_minor),
        revenue_recognized: Money::from_minor(invoice.books.recognized_minor),
        refunded: Money::from_minor(invoice.books.refunded_minor),
        code: invoice.code,
    }
}

pub(super) async fn show(State(door): State<Door>, Path(order_id): Path<String>) -> Result<Json<InvoiceView>, Problem> {
    let order_id: OrderId = order_id.parse().map_err(|_| Problem::not_found("invoice"))?;
    let found = door
        .transactor
        .store()
        .read(move |tx| Ok::<_, StoreError>(invoices::invoice(tx, &order_id)?.map(|invoice| view(&order_id, invoice))))
        .await?;
    // A cancelled order for which no invoice was asked has none.
    let found = found.filter(|view| view.status != Status::Cancelled.as_str());
    found.map(Json).ok_or_else(|| Problem::not_found("invoice"))
}

/// Issues an order's invoice. A refusal is committed and said like an invoice, then told to the client.
pub(super) async fn create(door: &Door, request: InvoiceRequested) -> Result<(StatusCode, Json<InvoiceView>), Problem> {
    request.check()?;
    decide::open(&request)?;
    let billing = door.crm.billing(&request.customer_id).await.map_err(unanswered)?;
    let cause = Cause::Request { correlation_id: None, traceparent: None };
    let (new, view) = door
        .transactor
        .run(cause, move |tx| {
            tx.lock(request.order_id.as_str())?;
            let facts = issue(tx, &request, billing)?;
            let invoice = invoices::invoice(tx, &request.order_id)?;
            let view = invoice.map(|invoice| view(&request.order_id, invoice));
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
        CallError::Unavailable { .. } => {
            Problem::unavailable("peer_unavailable", "the CRM cannot answer now, try again")
        }
        error => Problem::internal(&error.to_string()),
    }
}
