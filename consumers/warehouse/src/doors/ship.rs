//! `POST /shipments`: the same command as `FulfillmentRequested`, so that both for one order have one effect.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use events::Fact;
use events::fulfillment::FulfillmentRequested;
use runtime::{Cause, Failure, JsonBody, Problem, trace_context};

use crate::command::{self, Shipped, UNKNOWN_LOCATION};
use crate::doors::Doors;
use crate::doors::look::Shipments;
use crate::rows;
use crate::shipment::Story;

pub(super) async fn ship(
    State(doors): State<Doors>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<FulfillmentRequested>,
) -> Result<(StatusCode, Json<Shipments>), Problem> {
    request.check()?;
    let locations = doors.ledgers.locate(&request.lines).await.map_err(Failure::from)?;
    let traceparent = trace_context::given(&headers);
    let cause = Cause::Request { correlation_id: None, traceparent: traceparent.clone() };
    let story = Story { traceparent, ..Story::default() };
    let delays = doors.delays;
    let run = doors.transactor.run(cause, move |tx| {
        tx.lock(request.order_id.as_str())?;
        let (shipped, facts) = command::ship(tx, &request, &locations, &story, delays)?;
        let shipments = rows::of_order(tx, &request.order_id)?;
        Ok::<_, Problem>(((shipped, shipments), facts))
    });
    match run.await? {
        (Shipped::Shipping, shipments) => Ok((StatusCode::CREATED, Json(Shipments::whole(shipments)))),
        (Shipped::Stopped(code), _) if code == UNKNOWN_LOCATION => {
            Err(Problem::unprocessable(UNKNOWN_LOCATION, "no ledger knows where some of the products lie"))
        }
        (Shipped::Stopped(code), _) => Err(Problem::conflict(&code, "nothing is shipped for the order any more")),
    }
}
