//! Transactions entered by hand, over REST.

use ::store::StoreError;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use events::Timestamp;
use runtime::{JsonBody, Page, Problem, body, clock};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{House, invoices};
use crate::crm::Customer;
use crate::transactions::{self, Draft, TransactionView};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionsView {
    transactions: Vec<TransactionView>,
    crm_integration: CrmIntegration,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct CrmIntegration {
    connected: bool,
    customers: Vec<Customer>,
    timestamp: Timestamp,
}

/// Tells the two bodies of `POST /transactions` apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    order_id: Option<IgnoredAny>,
}

pub(super) async fn list(State(door): State<House>, page: Page<i64>) -> Result<Json<TransactionsView>, Problem> {
    let (limit, after) = (page.limit, page.after.unwrap_or_default());
    let mut transactions = door.transactor.store().read(move |tx| transactions::list(tx, after, limit + 1)).await?;
    let more = transactions.len() > limit as usize;
    transactions.truncate(limit as usize);
    let last = transactions.last().filter(|_| more);
    let next = last.map(|last| format!("/transactions?limit={limit}&after={}", last.id));
    let customers = door.crm.customers().await;
    let crm_integration = CrmIntegration {
        connected: customers.is_some(),
        customers: customers.unwrap_or_default(),
        timestamp: clock::now(),
    };
    Ok(Json(TransactionsView { transactions, crm_integration, next }))
}

pub(super) async fn create(State(door): State<House>, body: Body) -> Result<Response, Problem> {
    let bytes = body::read(body, body::MAX_JSON_BYTES).await?;
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

pub(super) async fn delete(State(door): State<House>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = parse(&id).ok_or_else(absent)?;
    let write = door.transactor.store().write(clock::now_ms(), move |tx| {
        tx.lock(&lock_key(id))?;
        transactions::delete(tx, id)
    });
    let deleted: Result<bool, StoreError> = write.await;
    if deleted? { Ok(Json(json!({ "message": "Transaction deleted successfully" }))) } else { Err(absent()) }
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
