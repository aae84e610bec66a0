//! Takes a person out of what people wrote here. The ledger is not touched.

use axum::Json;
use axum::extract::State;
use runtime::erase::{self, Erased, Wanted};
use runtime::{JsonBody, Problem};

use super::House;
use crate::transactions::TEXTS;

pub(super) async fn erase(
    State(door): State<House>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Json<Erased>, Problem> {
    Ok(Json(erase::run(door.transactor.store(), TEXTS, &wanted.person()?).await?))
}
