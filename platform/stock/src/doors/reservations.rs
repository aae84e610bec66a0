//! `/reservations`: holds for orders.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::ReservationId;
use runtime::{JsonBody, Problem, clock};

use super::{House, Named};
use crate::contract::{Reservation, ReservationRequest};
use crate::{reserve, withdraw};

/// `POST /reservations`.
pub(super) async fn make(
    State(house): State<House>,
    JsonBody(request): JsonBody<ReservationRequest>,
) -> Result<(StatusCode, Json<Reservation>), Problem> {
    request.check()?;
    let made = house.store.write(clock::now_ms(), move |tx| reserve::reserve(tx, &request)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `DELETE /reservations/{reservationId}`.
pub(super) async fn withdraw(
    State(house): State<House>,
    Named(reservation_id): Named<ReservationId>,
) -> Result<StatusCode, Problem> {
    house.store.write(clock::now_ms(), move |tx| withdraw::withdraw(tx, &reservation_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
