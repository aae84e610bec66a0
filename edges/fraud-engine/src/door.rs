//! The REST doors.

use ::store::{Store, StoreError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use runtime::Caller::{Checkout, FraudBridge, Operator};
use runtime::{Door, Doors, JsonBody, Page, Problem, clock};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use crate::config::Config;
use crate::metric::{MetricView, NewMetric, milliseconds};
use crate::{record, store};

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

const SCORES: Door = Door::of("Scores a transaction")
    .to(&[Checkout, FraudBridge, Operator])
    .described(|it| it.refuses(422, "it happened too long ago, or in the future"));

/// Every door.
pub(crate) fn doors(store: Store, config: Config) -> Doors {
    Doors::new()
        .get("/metrics", list, Door::of("A summary of transactions and the latest of them").to(&[Operator]))
        .post("/metrics", take, SCORES)
        .with_state(House { store, config })
}

async fn take(
    State(door): State<House>,
    JsonBody(new): JsonBody<NewMetric>,
) -> Result<(StatusCode, Json<MetricView>), Problem> {
    new.check()?;
    let House { store, config } = door;
    let now_ms = clock::now_ms();
    let at_ms = new.occurred_at_ms(now_ms)?;
    let view = store.write(now_ms, move |tx| record::keep(tx, &new, at_ms, config)).await?;
    let view = view.ok_or_else(|| Problem::internal("an order scored before is not there"))?;
    Ok((StatusCode::CREATED, Json(view)))
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
