//! Transactions entered by hand, over REST.

use ::store::StoreError;
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use events::Timestamp;
use events::billing::InvoiceRequested;
use runtime::{Caller, JsonBody, JsonBytes, Page, Problem, body, clock};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::invoices::{self, InvoiceView};
use super::{House, SEE_CUSTOMERS};
use crate::crm::Customer;
use crate::transactions::{self, Draft, TransactionView};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionsView {
    transactions: Vec<TransactionView>,
    crm_integration: CrmIntegration,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct CrmIntegration {
    connected: bool,
    customers: Vec<Customer>,
    timestamp: Timestamp,
}

/// What `POST /transactions` takes.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is looked at: the bodies are told apart by `orderId`")]
pub(super) enum New {
    /// A transaction by hand.
    Entered(Draft),
    /// An invoice to issue.
    Invoice(InvoiceRequested),
}

/// What `POST /transactions` gives.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is looked at")]
pub(super) enum Made {
    /// A transaction by hand.
    Entered(TransactionView),
    /// An invoice.
    Invoice(InvoiceView),
}

/// The answer to a deletion.
#[derive(Serialize, JsonSchema)]
pub(super) struct Deleted {
    message: &'static str,
}

/// Tells the two bodies of `POST /transactions` apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    order_id: Option<IgnoredAny>,
}

/// Transactions with the CRM's customers, for a caller who may see these. Others learn that the CRM is there, and nobody's name.
pub(super) async fn list(
    State(door): State<House>,
    caller: Option<Extension<Caller>>,
    page: Page<i64>,
) -> Result<Json<TransactionsView>, Problem> {
    let (limit, after) = (page.limit, page.after.unwrap_or_default());
    let mut transactions = door.transactor.store().read(move |tx| transactions::list(tx, after, limit + 1)).await?;
    let more = transactions.len() > limit as usize;
    transactions.truncate(limit as usize);
    let last = transactions.last().filter(|_| more);
    let next = last.map(|last| format!("/transactions?limit={limit}&after={}", last.id));
    let customers = door.crm.customers().await;
    // Nobody in particular comes to an open house only.
    let may_see = caller.is_none_or(|Extension(caller)| SEE_CUSTOMERS.contains(&caller));
    let crm_integration = CrmIntegration {
        connected: customers.is_some(),
        customers: customers.filter(|_| may_see).unwrap_or_default(),
        timestamp: clock::now(),
    };
    Ok(Json(TransactionsView { transactions, crm_integration, next }))
}

pub(super) async fn create(
    State(door): State<House>,
    JsonBytes(bytes): JsonBytes<{ body::MAX_JSON_BYTES }>,
) -> Result<Response, Problem> {
    let probe: Result<Probe, _> = serde_json::from_slice(&bytes);
    if probe.is_ok_and(|probe| probe.order_id.is_some()) {
        return Ok(invoices::create(&door, body::decode(&bytes)?).await?.into_response());
    }
    let entered = body::decode::<Draft>(&bytes)?.check()?;
    let store = door.transactor.store();
    let view: Result<_, StoreError> = store.write(clock::now_ms(), move |tx| transactions::create(tx, entered)).await;
    Ok((StatusCode::CREATED, Json(view?)).into_response())
}

pub(super) async fn show(State(door): State<House>, Path(id): Path<String>) -> Result<Json<TransactionView>, Problem> {
    let id = parse(&id).ok_or_else(absent)?;
    let view: Result<_, StoreError> = door.transactor.store().read(move |tx| transactions::one(tx, id)).await;
    view?.map(Json).ok_or_else(absent)
}

pub(super) async fn update(
    State(door): State<House>,
    Path(id): Path<String>,
    JsonBody(draft): JsonBody<Draft>,
) -> Result<Json<TransactionView>, Problem> {
    let id = parse(&id).ok_or_else(absent)?;
    let entered = draft.check()?;
    let write = door.transactor.store().write(clock::now_ms(), move |tx| {
        tx.lock(&lock_key(id))?;
        transactions::update(tx, id, entered)
    });
    let view: Result<_, StoreError> = write.await;
    view?.map(Json).ok_or_else(absent)
}

pub(super) async fn delete(State(door): State<House>, Path(id): Path<String>) -> Result<Json<Deleted>, Problem> {
    let id = parse(&id).ok_or_else(absent)?;
    let write = door.transactor.store().write(clock::now_ms(), move |tx| {
        tx.lock(&lock_key(id))?;
        transactions::delete(tx, id)
    });
    let deleted: Result<bool, StoreError> = write.await;
    if deleted? { Ok(Json(Deleted { message: "Transaction deleted successfully" })) } else { Err(absent()) }
}

fn lock_key(id: i64) -> String {
    format!("transactions/{id}")
}

fn parse(id: &str) -> Option<i64> {
    id.parse().ok()
}

fn absent() -> Problem {
    Problem::not_found("transaction")
}
