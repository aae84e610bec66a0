//! `POST /returns/{returnId}/received`: the goods are back and were inspected. And a look at returns.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use events::fulfillment::{InspectedLine, ReturnOutcome};
use events::line::MAX_LINES;
use events::states::returns::{MACHINE, Trigger};
use events::{FieldError, OrderId, ReturnId, Timestamp};
use runtime::body::{self, MAX_JSON_BYTES};
use runtime::{JsonBytes, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::doors::Doors;
use crate::return_rows;
use crate::returns::{self, ExpectedLine, Finding, Return, Status};

/// Returns shown of one order: more than OMS grants of one, at six facts each of the 1,200 it keeps, and than an order's shipments make of
/// themselves.
const MOST_SHOWN: u32 = 500;

/// What the inspection found.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Inspection {
    #[schemars(length(max = MAX_LINES))]
    lines: Vec<Finding>,
}

/// A return as the REST doors show it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReturnView {
    return_id: ReturnId,
    order_id: OrderId,
    status: Status,
    expected: Vec<ExpectedLine>,
    /// What became of the goods; absent until the return ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    inspection: Option<Vec<InspectedLine>>,
    requested_at: Timestamp,
}

impl From<Return> for ReturnView {
    fn from(found: Return) -> Self {
        let Return { return_id, order_id, status, lines, inspection, requested_at_ms, .. } = found;
        let requested_at = clock::from_ms(requested_at_ms);
        Self { return_id, order_id, status, expected: lines, inspection, requested_at }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    order_id: OrderId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Returns {
    returns: Vec<ReturnView>,
}

pub(super) async fn one(State(doors): State<Doors>, Path(id): Path<String>) -> Result<Json<ReturnView>, Problem> {
    find(&doors, &id).await.map(|found| Json(found.into()))
}

pub(super) async fn list(
    State(doors): State<Doors>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Returns>, Problem> {
    let query = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let Query(Listing { order_id }) = query;
    let found: Result<Vec<Return>, StoreError> =
        doors.transactor.store().read(move |tx| return_rows::of_order(tx, &order_id, MOST_SHOWN)).await;
    Ok(Json(Returns { returns: found?.into_iter().map(ReturnView::from).collect() }))
}

pub(super) async fn receive(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    JsonBytes(bytes): JsonBytes<MAX_JSON_BYTES>,
) -> Result<Json<ReturnView>, Problem> {
    let inspection: Option<Inspection> = if bytes.is_empty() { None } else { body::decode(&bytes)? };
    let expected = find(&doors, &id).await?;
    let findings = inspection.as_ref().map(|inspection| inspection.lines.as_slice());
    let lines = returns::inspect(&expected.lines, findings)?;
    if let Some(answer) = again(&expected, findings.is_some(), &lines)? {
        return Ok(Json(answer.into()));
    }
    let reaction = format!("{}.receive-return.{}", crate::service::NAME, expected.return_id);
    let cause = expected.story.clone().cause(reaction);
    let told = findings.is_some();
    let run = doors.transactor.run(cause, move |tx| {
        tx.lock(expected.order_id.as_str())?;
        let mut found = return_rows::one(tx, &expected.return_id)?.ok_or_else(|| Problem::not_found("return"))?;
        if let Some(answer) = again(&found, told, &lines)? {
            return Ok((answer, Vec::new()));
        }
        let to = MACHINE.next(found.status, Trigger::Receive)?;
        return_rows::close(tx, &found.return_id, found.status, to, &lines)?;
        let said = returns::closed(&found, ReturnOutcome::Received, &lines);
        (found.status, found.inspection) = (to, Some(lines));
        Ok::<_, Problem>((found, said))
    });
    run.await.map(|found| Json(found.into()))
}

/// The return as it is, if it was received with this very outcome before, or nobody says what the outcome is.
///
/// # Errors
/// 409 when it was received with another outcome.
fn again(found: &Return, told: bool, lines: &[InspectedLine]) -> Result<Option<Return>, Problem> {
    if found.status != Status::Received {
        return Ok(None);
    }
    if !told || found.inspection.as_deref().is_none_or(|known| known == lines) {
        return Ok(Some(found.clone()));
    }
    Err(Problem::conflict("already_received", "the return was received with another outcome"))
}

async fn find(doors: &Doors, id: &str) -> Result<Return, Problem> {
    let return_id: ReturnId = id.parse().map_err(|_| Problem::not_found("return"))?;
    let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| return_rows::one(tx, &return_id)).await;
    found?.ok_or_else(|| Problem::not_found("return"))
}
