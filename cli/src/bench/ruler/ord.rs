//! Ruler S_ord: what every order costs whatever the shop looks like. One handler parses the body and commits the order and its three
//! outbox rows (confirmed, stock reserved, invoice requested) in one group-committed transaction. No edges, no publishing.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use runtime::clock;
use serde::Deserialize;
use serde_json::json;
use store::outbox::{self, NewRow};
use store::{Migration, Store, StoreError, Tx, params};

pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "orders",
    sql: "CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, lines BIGINT NOT NULL,
        body TEXT NOT NULL, created_at_ms BIGINT NOT NULL)",
}];
const INSERT: &str =
    "INSERT INTO orders (order_id, customer_id, lines, body, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)";

/// What checkout says of an order: topic and wire type.
const FACTS: [(&str, &str); 3] = [
    ("order-events", "com.onlineboutique.order.confirmed.v1"),
    ("inventory-events", "com.onlineboutique.inventory.stock_reserved.v1"),
    ("billing-events", "com.onlineboutique.billing.invoice_requested.v1"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    customer_id: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    product_id: String,
    quantity: u32,
}

pub(super) fn router(store: Store) -> Router {
    Router::new().route("/orders", post(place)).with_state(store)
}

async fn place(State(store): State<Store>, body: Bytes) -> Response {
    let Ok(placed) = serde_json::from_slice::<Placed>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if placed.lines.is_empty() || placed.lines.iter().any(|line| line.quantity == 0 || line.product_id.is_empty()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let order_id = clock::new_id().to_string();
    let answer = json!({ "orderId": &order_id, "status": "confirmed" });
    match store.write(clock::now_ms(), move |tx| commit(tx, &order_id, &placed, &body)).await {
        Ok(()) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

fn commit(tx: &mut Tx<'_>, order_id: &str, placed: &Placed, body: &[u8]) -> Result<(), StoreError> {
    let data = String::from_utf8_lossy(body);
    let lines = i64::try_from(placed.lines.len()).unwrap_or(i64::MAX);
    let now_ms = tx.now_ms();
    tx.execute(INSERT, params![order_id, &placed.customer_id, lines, &*data, now_ms])?;
    let subject = format!("orders/{order_id}");
    for (topic, event_type) in FACTS {
        let id = clock::new_id().to_string();
        let attributes = format!(
            r#"{{"ce-correlationid":"{order_id}","ce-id":"{id}","ce-partitionkey":"{order_id}","ce-source":"//onlineboutique.com/ruler","ce-specversion":"1.0","ce-subject":"{subject}","ce-time":"{now_ms}","ce-type":"{event_type}","Content-Type":"application/json"}}"#
        );
        let row = NewRow {
            topic,
            key: order_id,
            attributes: &attributes,
            data: &data,
            event_id: &id,
            event_type,
            subject: &subject,
        };
        outbox::push(tx, &row)?;
    }
    Ok(())
}
