//! `POST /orders/{orderId}/release` and `/refuse`: a person's word about an order on hold.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use events::order::OrderReleased;
use events::states::order::{MACHINE, Trigger};
use events::{Event, OrderId};
use runtime::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Tx;

use crate::decide::{self, Status};
use crate::doors::{Doors, Standing, locked, order_id};
use crate::facts::{Entry, Facts, Kind};
use crate::order::refuse_when_full;

/// Who has a say. A role, never a person's name.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Reviewer,
    Deadline,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Reviewer => "reviewer",
            Role::Deadline => "deadline",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Release {
    released_by: Role,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refuse {
    refused_by: Role,
}

pub(super) async fn release(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(Release { released_by }): JsonBody<Release>,
) -> Result<Json<Standing>, Problem> {
    let order_id = order_id(&id)?;
    let cause = doors.cause(&order_id, &headers).await?;
    let said = OrderReleased { order_id: order_id.clone(), released_by: released_by.as_str().to_owned() };
    let run = doors.transactor.run(cause, move |tx| judge(tx, order_id, Kind::OrderReleased, vec![said.into()]));
    run.await.map(Json)
}

pub(super) async fn refuse(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(Refuse { refused_by }): JsonBody<Refuse>,
) -> Result<Json<Standing>, Problem> {
    let order_id = order_id(&id)?;
    let cause = doors.cause(&order_id, &headers).await?;
    tracing::info!(order.id = order_id.as_str(), refused_by = refused_by.as_str(), "a held order is refused");
    let run = doors.transactor.run(cause, move |tx| judge(tx, order_id, Kind::ReviewRefused, Vec::new()));
    run.await.map(Json)
}

/// Adds a person's word to the order on hold; `said` comes first, then what follows from it.
fn judge(
    tx: &mut Tx<'_>,
    order_id: OrderId,
    kind: Kind,
    mut said: Vec<Event>,
) -> Result<(Standing, Vec<Event>), Problem> {
    let mut order = locked(tx, &order_id)?;
    let status = decide::status(&order.facts);
    if MACHINE.next(status, trigger_of(kind)).is_err() || status != Status::OnHold {
        return if is_again(&order.facts, status, kind) {
            Ok((Standing::of(order_id, &order), Vec::new()))
        } else {
            Err(Problem::conflict("not_on_hold", "only an order on hold waits for a person's word"))
        };
    }
    refuse_when_full(&order)?;
    let now_ms = tx.now_ms();
    order.facts.add(Entry::new(kind, now_ms));
    said.extend(order.proceed(tx, &order_id)?);
    Ok((Standing::of(order_id, &order), said))
}

fn trigger_of(kind: Kind) -> Trigger {
    if kind == Kind::OrderReleased { Trigger::Release } else { Trigger::Cancel }
}

/// Whether this very word was given before: a client that did not hear the answer may ask again. A release that a cancellation followed
/// is not undone by asking again.
fn is_again(facts: &Facts, status: Status, kind: Kind) -> bool {
    facts.has(kind) && (kind == Kind::ReviewRefused || status != Status::Cancelled)
}
