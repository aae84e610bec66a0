//! `POST /orders/{orderId}/stop`: OMS asks whether the order can still be stopped, and it is, or nothing is changed.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use events::EventId;
use runtime::{Cause, Problem, trace_context};
use schemars::JsonSchema;
use serde::Serialize;
use store::StoreError;

use crate::command;
use crate::doors::{Doors, order_id};
use crate::rows;

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Stopped {
    stopped: bool,
}

pub(super) async fn stop(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Stopped>, Problem> {
    let order_id = order_id(&id)?;
    let story = {
        let order_id = order_id.clone();
        let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::of_order(tx, &order_id)).await;
        found?.into_iter().next().map(|shipment| shipment.story)
    };
    let correlation_id: Option<EventId> = story.and_then(|story| story.correlation_id);
    let cause = Cause::Request { correlation_id, traceparent: trace_context::given(&headers) };
    let run = doors.transactor.run(cause, move |tx| {
        tx.lock(order_id.as_str())?;
        match command::stop(tx, &order_id)? {
            Some(facts) => Ok(((), facts)),
            None => Err(Problem::conflict("already_dispatched", "the goods are on their way, offer a return")),
        }
    });
    run.await?;
    Ok(Json(Stopped { stopped: true }))
}
