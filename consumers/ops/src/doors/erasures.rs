//! `POST /erasures`: takes a person out of what people and failures wrote here.
//!
//! The trail keeps who did what, when and to which letter; only words that name the person go. A payload that was JSON still is: its letter
//! can be replayed.

use axum::Json;
use axum::extract::State;
use runtime::erase::{self, Erased, Text, Wanted};
use runtime::{JsonBody, Problem, text_column};

use crate::doors::Doors;

/// Every text here that is not a word of a list. A payload has sealed ids only, unless whoever published it does not keep to the schema.
const TEXTS: &[Text] = &[
    text_column!("letters", "letter_id", "0", "reason"),
    text_column!("letters", "letter_id", "0", "attributes"),
    text_column!("letters", "letter_id", "0", "data"),
    text_column!("deaths", "death_id", "0", "reason"),
    text_column!("edits", "edit_id", "0", "patch"),
    text_column!("edits", "edit_id", "0", "diff"),
    text_column!("edits", "edit_id", "0", "data"),
    text_column!("edits", "edit_id", "0", "why"),
    text_column!("edits", "edit_id", "0", "approved_why"),
    text_column!("plans", "plan_hash", "0", "filter"),
    text_column!("plan_items", "plan_hash", "position", "reason"),
    text_column!("plan_items", "plan_hash", "position", "says"),
    text_column!("replays", "replay_id", "0", "note"),
    text_column!("replays", "replay_id", "0", "why"),
    text_column!("replay_items", "replay_id", "position", "reason"),
    text_column!("audit", "''", "seq", "why"),
    text_column!("audit", "''", "seq", "what"),
];

pub(super) async fn erase(
    State(doors): State<Doors>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Json<Erased>, Problem> {
    Ok(Json(erase::run(&doors.store, TEXTS, &wanted.person()?).await?))
}
