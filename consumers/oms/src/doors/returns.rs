//! `POST /orders/{orderId}/returns`: the customer sends goods back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use events::fulfillment::ReturnRequested;
use events::id::derived;
use events::line::{MAX_LINES, MAX_QUANTITY};
use events::{Event, FieldError, OrderId, ReturnId, StockLine};
use runtime::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Tx;

use crate::doors::{Doors, locked, order_id};
use crate::facts::{Entry, Kind, Units};
use crate::returns::{self, State as Status};
use crate::room;

/// The longest idempotency key, in characters.
const MAX_KEY_CHARS: usize = 200;

/// Why goods are sent back. A word of a list, so that no text of a customer's gets into an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    ChangedMind,
    DoesNotFit,
    Defective,
    DamagedInTransit,
    WrongItem,
    Other,
}

impl Reason {
    fn sentence(self) -> &'static str {
        match self {
            Reason::ChangedMind => "changed mind",
            Reason::DoesNotFit => "does not fit",
            Reason::Defective => "defective",
            Reason::DamagedInTransit => "damaged in transit",
            Reason::WrongItem => "wrong item",
            Reason::Other => "other",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// The client's name for it: one within the order, as is its idempotency key. Both name the return whose id is answered.
    #[serde(default)]
    return_id: Option<ReturnId>,
    /// Each product once.
    #[schemars(length(min = 1, max = MAX_LINES))]
    lines: Vec<StockLine>,
    reason: Reason,
}

/// A return as its request is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    return_id: ReturnId,
    order_id: OrderId,
    status: Status,
    lines: Vec<StockLine>,
}

/// What a return is asked for with.
struct Terms {
    window_ms: i64,
    damaged_percent: u32,
}

pub(super) async fn ask(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<Request>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let order_id = order_id(&id)?;
    let Request { return_id, lines, reason } = request;
    let wanted = gathered(&lines)?;
    let name = match (return_id, key(&headers)?) {
        (Some(return_id), _) => return_id.to_string(),
        (None, Some(key)) => key,
        (None, None) => return Err(no_key()),
    };
    let cause = doors.cause(&order_id, &headers).await?;
    let terms = Terms { window_ms: doors.return_window_ms, damaged_percent: doors.damaged_refund_percent };
    let run = doors.transactor.run(cause, move |tx| request_return(tx, order_id, &name, wanted, reason, &terms));
    let (new, asked) = run.await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(asked)))
}

/// The return that a client's name stands for. Names of clients are their own: two orders may have the same, and their returns differ.
fn named(order_id: &OrderId, name: &str) -> ReturnId {
    ReturnId::from_uuid(derived("return", &format!("{order_id}/{name}")))
}

/// The client's key, if there is one.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim);
    let text = text.filter(|text| (1..=MAX_KEY_CHARS).contains(&text.len()) && !text.contains('\t'));
    text.map(|text| Some(text.to_owned())).ok_or_else(no_key)
}

fn no_key() -> Problem {
    let detail = format!("a return needs a returnId or an Idempotency-Key of 1 to {MAX_KEY_CHARS} characters");
    Problem::bad_request("missing_idempotency_key", detail)
}

/// Each product once.
fn gathered(lines: &[StockLine]) -> Result<Vec<Units>, FieldError> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        return Err(FieldError::new("lines", format!("must hold 1 to {MAX_LINES} lines")));
    }
    for (index, line) in lines.iter().enumerate() {
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            return Err(FieldError::new(format!("lines[{index}].quantity"), format!("must be 1 to {MAX_QUANTITY}")));
        }
        if lines[..index].iter().any(|other| other.product_id == line.product_id) {
            return Err(FieldError::new(format!("lines[{index}].productId"), "is there twice"));
        }
    }
    Ok(Units::of(lines))
}

fn request_return(
    tx: &mut Tx<'_>,
    order_id: OrderId,
    name: &str,
    wanted: Vec<Units>,
    reason: Reason,
    terms: &Terms,
) -> Result<((bool, Asked), Vec<Event>), Problem> {
    let mut order = locked(tx, &order_id)?;
    // The id of a return of this order names it as well as the name it was asked for with.
    let known_by_id = || order.facts.about(Kind::ReturnRequested, name)?.part.as_deref()?.parse().ok();
    let return_id: ReturnId = known_by_id().unwrap_or_else(|| named(&order_id, name));
    let answer = |status, wanted: &[Units]| Asked {
        return_id: return_id.clone(),
        order_id: order_id.clone(),
        status,
        lines: stock_lines(wanted),
    };
    if let Some(known) = order.facts.about(Kind::ReturnRequested, return_id.as_str()) {
        if known.units != wanted {
            return Err(Problem::conflict("return_conflict", "another return has this id, of other goods"));
        }
        return Ok(((false, answer(returns::state(&order.facts, known), &wanted)), Vec::new()));
    }
    let now_ms = tx.now_ms();
    returns::check(&order.facts, &wanted, now_ms, terms.window_ms)
        .map_err(|refusal| Problem::conflict(refusal.code(), refusal.to_string()))?;
    if !room::is_left_for(&order.facts, &wanted) {
        return Err(Problem::conflict("too_many_returns", "the order has as many returns as it may"));
    }
    let bought = order.contents()?.map(|contents| contents.lines).unwrap_or_default();
    let lines = returns::pick(&bought, &wanted);
    let reason = reason.sentence().to_owned();
    let fact = ReturnRequested { order_id: order_id.clone(), return_id: return_id.clone(), lines, reason };
    let entry = Entry {
        damaged_percent: Some(terms.damaged_percent),
        ..Entry::of_part(Kind::ReturnRequested, return_id.as_str(), wanted.clone(), now_ms)
    };
    order.facts.add(entry);
    let mut said: Vec<Event> = vec![fact.into()];
    said.extend(order.proceed(tx, &order_id)?);
    Ok(((true, answer(Status::Expected, &wanted)), said))
}

fn stock_lines(units: &[Units]) -> Vec<StockLine> {
    let line = |units: &Units| StockLine { product_id: units.product_id.clone(), quantity: units.quantity };
    units.iter().map(line).collect()
}
