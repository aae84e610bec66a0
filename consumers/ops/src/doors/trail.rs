//! `GET /audit`: who did what, when and why.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use events::FieldError;
use runtime::{Page, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::doors::Doors;
use crate::rows::audit::{self, About, Entry};

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Asked {
    #[serde(default)]
    letter: String,
    #[serde(default)]
    replay: String,
    /// Newest first; `after` is then what comes before.
    #[serde(default)]
    newest: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Trail {
    entries: Vec<Entry>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) async fn list(
    State(doors): State<Doors>,
    Page { limit, after }: Page<i64>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Trail>, Problem> {
    let Query(Asked { letter, replay, newest }) = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let page = doors.store.read(move |tx| {
        let about = About { letter_id: &letter, replay_id: &replay };
        match newest {
            true => audit::newest(tx, after.unwrap_or(i64::MAX), about, limit),
            false => audit::list(tx, after.unwrap_or(0), about, limit),
        }
    });
    let entries = page.await?;
    let is_full = u32::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|_| is_full).map(|last| last.seq);
    Ok(Json(Trail { entries, next }))
}
