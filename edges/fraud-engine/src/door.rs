//! The REST doors.

use ::store::{Store, StoreError, Tx};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use runtime::Caller::{Checkout, FraudBridge, Operator};
use runtime::{Door, Doors, JsonBody, Page, Problem, clock};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use crate::config::Config;
use crate::decide::{Signals, score};
use crate::metric::{MetricView, NewMetric, milliseconds};
use crate::store;

#[derive(Clone)]
struct House {
    store: Store,
    config: Config,
}

#[derive(Serialize, JsonSchema)]
struct MetricsView {
    summary: SummaryView,
    data: Vec<MetricView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SummaryView {
    total_transactions: i64,
    success_count: i64,
    failure_count: i64,
    average_duration_ms: Number,
}

/// Every door.
pub(crate) fn doors(store: Store, config: Config) -> Doors {
    Doors::new()
        .get("/metrics", list, Door::of("A summary of transactions and the latest of them").to(&[Operator]))
        .post("/metrics", record, Door::of("Scores a transaction").to(&[Checkout, FraudBridge, Operator]))
        .with_state(House { store, config })
}

async fn record(
    State(door): State<House>,
    JsonBody(new): JsonBody<NewMetric>,
) -> Result<(StatusCode, Json<MetricView>), Problem> {
    new.check()?;
    let House { store, config } = door;
    let view = store.write(clock::now_ms(), move |tx| keep(tx, &new, config)).await?;
    let view = view.ok_or_else(|| Problem::internal("an order scored before is not there"))?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Scores and keeps a transaction, or finds the first one of its order.
fn keep(tx: &mut Tx<'_>, new: &NewMetric, config: Config) -> Result<Option<MetricView>, StoreError> {
    let earlier = match (&new.customer_id, &new.order_id) {
        (Some(customer_id), Some(_)) => store::recent_orders(tx, customer_id.as_str(), config.velocity_limit)?,
        _ => 0,
    };
    let signals = Signals {
        amount_minor: new.amount_minor,
        shipping_country: new.shipping_country.as_deref(),
        billing_country: new.billing_country.as_deref(),
        recent_orders: earlier + 1,
        velocity_limit: config.velocity_limit,
    };
    match (store::add(tx, new, &score(&signals))?, &new.order_id) {
        (None, Some(order_id)) => store::of_order(tx, order_id.as_str()),
        (added, _) => Ok(added),
    }
}

async fn list(State(door): State<House>, page: Page<i64>) -> Result<Json<MetricsView>, Problem> {
    let (limit, after) = (page.limit, page.after.unwrap_or(i64::MAX));
    let (summary, mut data) = door
        .store
        .read(move |tx| Ok::<_, StoreError>((store::summary(tx)?, store::latest(tx, after, limit + 1)?)))
        .await?;
    let more = data.len() > limit as usize;
    data.truncate(limit as usize);
    let next = data.last().filter(|_| more).map(|last| format!("/metrics?limit={}&after={}", limit, last.seq));
    let average_us = summary.duration_us.checked_div(summary.total).unwrap_or(0);
    let summary = SummaryView {
        total_transactions: summary.total,
        success_count: summary.successes,
        failure_count: summary.total - summary.successes,
        average_duration_ms: milliseconds(average_us),
    };
    Ok(Json(MetricsView { summary, data, next }))
}
