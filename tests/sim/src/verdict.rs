//! What must hold after a run: the audit, and what the run itself knows that no database does.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use audit::Report;
use events::personal;
use http::Method;
use serde_json::Value;
use store::{Row, StoreError};

use crate::actors;
use crate::memory::Told;
use crate::stage::Stage;
use crate::time::wait;
use crate::world::World;

/// How often a door is asked that nobody answers.
const LOOKS: u32 = 100;
/// Between two such questions, in milliseconds.
const BETWEEN_LOOKS_MS: u64 = 500;

/// Everything that is wrong. Sentences, each with what it is about.
///
/// # Errors
/// When the books cannot be read.
pub(crate) async fn violations(world: &Arc<World>, stage: &Stage, told: Told) -> Result<Vec<String>, String> {
    let now_ms = i64::try_from(world.clock.now_ms()).unwrap_or(i64::MAX);
    let report = audit::audit(stage.books(), audit::Notes { answered: told.confirmed.clone(), rows: None, now_ms })
        .await
        .map_err(|error| error.to_string())?;
    let statuses = statuses(stage).await.map_err(|error| error.to_string())?;
    for status in statuses.values() {
        world.count(|tally| *tally.ended.entry(status.clone()).or_default() += 1);
    }
    let mut wrong = audited(&report);
    for order_id in &told.cancelled {
        let status = statuses.get(order_id).map_or("unknown", String::as_str);
        if status != "cancelled" {
            wrong.push(format!("the client was told that order {order_id} is cancelled, and it is {status}"));
        }
    }
    wrong.extend(unpaid(world, &told).await);
    wrong.extend(unsealed(stage).await.map_err(|error| error.to_string())?);
    for (client, answers) in told.by_client.iter().filter(|(_, answers)| answers.len() > 1) {
        wrong.push(format!("client {client} got {answers:?} under one idempotency key"));
    }
    let committed = committed(stage).await.map_err(|error| error.to_string())?;
    for event_id in world.all_published().difference(&committed) {
        wrong.push(format!("event {event_id} was published, and nobody committed it"));
    }
    Ok(wrong)
}

/// Returns that were granted and came to no end, and orders of which OMS says that they are stuck, as its own doors say.
async fn unpaid(world: &Arc<World>, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    for (order_id, return_id) in &told.returns {
        let order = look(world, &format!("http://oms/orders/{order_id}")).await;
        let found = order["returns"].as_array().into_iter().flatten().find(|found| found["returnId"] == **return_id);
        let status = found.and_then(|found| found["status"].as_str()).unwrap_or("unknown");
        if !matches!(status, "refunded" | "declined") {
            wrong.push(format!("return {return_id} of order {order_id} was granted, and it is {status}"));
        }
    }
    let stuck = look(world, "http://oms/orders/stuck").await;
    if stuck["orders"].as_array().is_none_or(|orders| !orders.is_empty()) {
        wrong.push(format!("oms still says that orders are stuck: {stuck}"));
    }
    wrong
}

/// What a door says. Somebody may have died a moment ago; the next one is there within seconds.
async fn look(world: &Arc<World>, url: &str) -> Value {
    for _ in 0..LOOKS {
        if let Some((_, body)) = actors::ask(world, "verdict", Method::GET, url, None, &Value::Null).await {
            return body;
        }
        wait(BETWEEN_LOOKS_MS).await;
    }
    Value::Null
}

/// Nothing is under way any more, so an order that has not ended is stuck.
fn audited(report: &Report) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for invariant in &report.invariants {
        wrong.extend(invariant.violations.values().map(|what| format!("invariant {}: {what}", invariant.number)));
    }
    let stuck =
        |order: &audit::OpenOrder| format!("order {} is stuck {}: {}", order.order_id, order.status, order.missing);
    wrong.extend(report.open_orders.iter().map(stuck));
    wrong
}

async fn statuses(stage: &Stage) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT order_id, status FROM orders ORDER BY order_id";
    let read =
        stage.book("oms").store.read(move |tx| tx.query(sql, &[], |row| Ok((row.get_text(0)?, row.get_text(1)?))));
    Ok(read.await?.into_iter().collect())
}

/// Ids of every event in an outbox.
async fn committed(stage: &Stage) -> Result<BTreeSet<String>, StoreError> {
    let mut ids = BTreeSet::new();
    for book in stage.books() {
        let sql = "SELECT event_id FROM outbox";
        ids.extend(book.store.read(move |tx| tx.query(sql, &[], |row| row.get_text(0))).await?);
    }
    Ok(ids)
}

/// Events that name a person in the clear.
async fn unsealed(stage: &Stage) -> Result<Vec<String>, StoreError> {
    let mut wrong = Vec::new();
    for book in stage.books() {
        let sql = "SELECT event_type, data FROM outbox";
        let read = |row: &Row<'_>| Ok((row.get_text(0)?, personal::unprotected(row.get_str(0)?, row.get_str(1)?)));
        for (event_type, fields) in book.store.read(move |tx| tx.query(sql, &[], read)).await? {
            wrong.extend(
                fields.iter().map(|field| format!("{field} of {event_type}, said by {}, is not sealed", book.service)),
            );
        }
    }
    Ok(wrong)
}
