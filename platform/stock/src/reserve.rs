//! Holds units for an order, all lines or none: the command behind `POST /reservations`.

use axum::http::StatusCode;
use events::{FieldError, StockLine};
use runtime::{Problem, clock};
use store::{StoreError, Tx};

use crate::contract::{Reservation, ReservationRequest};
use crate::decide::same_units;
use crate::holds::Status;
use crate::limits::MAX_HOLD_MS;
use crate::{holds, products};

/// Holds the lines. The same request again has the same answer and no effect.
///
/// # Errors
/// 400 for a deadline that is past or too far; 404 for an unknown product; 409 when there are not enough units, the
/// order was cancelled, or the hold was released before or is another's.
pub fn reserve(tx: &mut Tx<'_>, request: &ReservationRequest) -> Result<Reservation, Problem> {
    tx.lock(request.order_id.as_str())?;
    // One order of products for everybody, so that two holds never wait for each other.
    let mut lines: Vec<(usize, &StockLine)> = request.lines.iter().enumerate().collect();
    lines.sort_by(|(_, one), (_, other)| one.product_id.cmp(&other.product_id));
    if !holds::add(tx, request, lines.iter().map(|(_, line)| *line))? {
        return made_before(tx, request);
    }
    let lasts_ms = request.expires_at.as_millisecond().saturating_sub(tx.now_ms());
    if !(1..=MAX_HOLD_MS).contains(&lasts_ms) {
        return Err(FieldError::new("expiresAt", "must be within the next seven days").into());
    }
    let mut short = Vec::new();
    for (index, line) in lines {
        if !products::hold(tx, line)? {
            short.push((index, line));
        }
    }
    if short.is_empty() { Ok(answer(request)) } else { Err(refusal(tx, short)?) }
}

/// What is wrong, line by line. The transaction is rolled back with it.
fn refusal(tx: &mut Tx<'_>, mut short: Vec<(usize, &StockLine)>) -> Result<Problem, StoreError> {
    short.sort_by_key(|(index, _)| *index);
    let (mut shortages, mut unknown) = (Vec::new(), Vec::new());
    for (index, line) in short {
        match products::available(tx, &line.product_id)? {
            Some(available) => shortages.push((index, format!("wanted {}, available {available}", line.quantity))),
            None => unknown.push((index, "is not a product of this ledger".to_owned())),
        }
    }
    let (mut problem, lines) = if unknown.is_empty() {
        (Problem::conflict("out_of_stock", "there are not enough units, nothing is held"), shortages)
    } else {
        (Problem::new(StatusCode::NOT_FOUND, "unknown_product", "there is no such product, nothing is held"), unknown)
    };
    for (index, what) in lines {
        problem.errors.extend(Problem::from(FieldError::new(format!("lines[{index}]"), what)).errors);
    }
    Ok(problem)
}

fn made_before(tx: &mut Tx<'_>, request: &ReservationRequest) -> Result<Reservation, Problem> {
    let Some(hold) = holds::find(tx, &request.reservation_id)? else {
        return Err(Problem::conflict("order_cancelled", "the order was cancelled, nothing is held for it"));
    };
    if hold.status == Status::Released {
        return Err(Problem::conflict("reservation_released", "the hold was released, make another"));
    }
    let same = hold.order_id.as_ref() == Some(&request.order_id) && same_units(&hold.lines, &request.lines);
    if !same {
        return Err(Problem::conflict("reservation_conflict", "there is another hold of this id"));
    }
    Ok(Reservation { expires_at: clock::from_ms(hold.expires_at_ms), ..answer(request) })
}

fn answer(request: &ReservationRequest) -> Reservation {
    Reservation {
        reservation_id: request.reservation_id.clone(),
        order_id: request.order_id.clone(),
        expires_at: clock::from_ms(request.expires_at.as_millisecond()),
    }
}
