//! `POST /orders/{orderId}/cancel`: the customer changes their mind.
//!
//! Three steps: the wish is written down, which ends an order the warehouse was not asked about; otherwise the warehouse is asked to
//! stop, outside any transaction; its answer is written down. When OMS dies in between, the warehouse's own `ShipmentFailed` ends
//! the order for the reason written down.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use events::{Event, OrderId};
use runtime::{CallError, Cause, Problem, request_id};
use serde::Deserialize;
use store::Tx;

use crate::decide::{self, Status};
use crate::doors::{Doors, Standing, locked, order_id};
use crate::facts::{Entry, Kind};
use crate::order::refuse_when_full;

/// What the warehouse answers to `POST /orders/{orderId}/stop`.
#[derive(Debug, Deserialize)]
struct Stopped {
    stopped: bool,
}

pub(super) async fn cancel(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Standing>, Problem> {
    let order_id = order_id(&id)?;
    let cause = doors.cause(&order_id, &headers).await?;
    // A task of its own: a client that hangs up must not leave the order between two steps.
    let work = tokio::spawn(request_id::carried(async move {
        let standing = doors.note(&order_id, Kind::CancelRequested, cause.clone()).await?;
        if standing.status == Status::Cancelled {
            return Ok(standing);
        }
        doors.ask_to_stop(&order_id).await?;
        doors.note(&order_id, Kind::WarehouseStopped, cause).await
    }));
    work.await.map_err(|_| Problem::internal("cancelling panicked"))?.map(Json)
}

impl Doors {
    async fn note(&self, order_id: &OrderId, kind: Kind, cause: Cause) -> Result<Standing, Problem> {
        let order_id = order_id.clone();
        self.transactor.run(cause, move |tx| note(tx, order_id, kind)).await
    }

    /// Asks as often as it takes: the warehouse stops an order once.
    async fn ask_to_stop(&self, order_id: &OrderId) -> Result<(), Problem> {
        let path = format!("/orders/{order_id}/stop");
        match self.warehouse.post::<_, Stopped>(&path, &serde_json::Map::new()).await {
            Ok(Stopped { stopped: true }) => Ok(()),
            Ok(Stopped { stopped: false }) => Err(already_dispatched()),
            Err(error) if error.status() == Some(StatusCode::CONFLICT.as_u16()) => Err(already_dispatched()),
            Err(CallError::Unavailable { .. } | CallError::TurnedAway { .. }) => {
                Err(Problem::unavailable("warehouse_unavailable", "the warehouse cannot be asked now, try again"))
            }
            Err(error) => Err(Problem::internal(&error.to_string())),
        }
    }
}

fn note(tx: &mut Tx<'_>, order_id: OrderId, kind: Kind) -> Result<(Standing, Vec<Event>), Problem> {
    let mut order = locked(tx, &order_id)?;
    match decide::status(&order.facts) {
        Status::Cancelled => return Ok((Standing::of(order_id, &order), Vec::new())),
        Status::Rejected => return Err(Problem::conflict("order_rejected", "checkout refused the order")),
        Status::Completed | Status::Returned => {
            return Err(Problem::conflict("order_completed", "the order was delivered, offer a return"));
        }
        _ if decide::has_left_any(&order.facts) => return Err(already_dispatched()),
        _ => refuse_when_full(&order)?,
    }
    let entry = Entry::new(kind, tx.now_ms());
    let said = if order.facts.add(entry) { order.proceed(tx, &order_id)? } else { Vec::new() };
    Ok((Standing::of(order_id, &order), said))
}

fn already_dispatched() -> Problem {
    Problem::conflict("already_dispatched", "the goods are on their way, offer a return")
}
