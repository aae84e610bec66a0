//! `POST /returns/{returnId}/received`: the goods are back and were inspected.

use axum::Json;
use axum::extract::{Path, State};
use events::fulfillment::ReturnReceived;
use events::{Event, Ledger, OrderId, OrderLine, ReturnId};
use runtime::Problem;
use serde::Serialize;
use store::StoreError;

use crate::doors::Doors;
use crate::rows::{self, ReturnRow};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Received {
    return_id: ReturnId,
    order_id: OrderId,
    status: &'static str,
}

pub(super) async fn receive(State(doors): State<Doors>, Path(id): Path<String>) -> Result<Json<Received>, Problem> {
    let return_id: ReturnId = id.parse().map_err(|_| Problem::not_found("return"))?;
    let found: Result<_, StoreError> = {
        let return_id = return_id.clone();
        doors.transactor.store().read(move |tx| rows::expected_return(tx, &return_id)).await
    };
    let ReturnRow { order_id, received, lines, story } = found?.ok_or_else(|| Problem::not_found("return"))?;
    let answer = Received { return_id: return_id.clone(), order_id: order_id.clone(), status: "received" };
    if received {
        return Ok(Json(answer));
    }
    let cause = story.cause(format!("{}.receive-return.{return_id}", crate::service::NAME));
    let run = doors.transactor.run(cause, move |tx| {
        tx.lock(order_id.as_str())?;
        let first = rows::receive_return(tx, &return_id)?;
        Ok::<_, Problem>(((), if first { came_back(&order_id, &return_id, &lines) } else { Vec::new() }))
    });
    run.await?;
    Ok(Json(answer))
}

/// One fact per ledger.
fn came_back(order_id: &OrderId, return_id: &ReturnId, lines: &[OrderLine]) -> Vec<Event> {
    let of_ledger = |ledger: Ledger| {
        let lines: Vec<_> = lines.iter().filter(|line| line.ledger == ledger).map(OrderLine::stock).collect();
        (!lines.is_empty())
            .then(|| ReturnReceived { order_id: order_id.clone(), return_id: return_id.clone(), ledger, lines }.into())
    };
    Ledger::ALL.into_iter().filter_map(of_ledger).collect()
}
