//! The REST doors.

use ::store::{Store, StoreError, Tx};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use events::FieldError;
use runtime::Caller::{Gateway, Operator};
use runtime::{Door, Doors, Key, Page, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scoring::ScoringView;
use crate::store;

/// What a scoring can be.
const STATUSES: [&str; 3] = ["pending", "cleared", "flagged"];

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScoringsView {
    scorings: Vec<ScoringView>,
    /// How long the order that waits longest has done so, in milliseconds.
    oldest_waiting_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Every door.
pub(crate) fn doors(store: Store) -> Doors {
    let scorings = Door::of("Orders the fraud engine is asked about again").to(&[Gateway, Operator]);
    Doors::new().get("/scorings", list, scorings).with_state(store)
}

/// Which scorings a client asks for.
#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// One of [`STATUSES`]; all without.
    #[schemars(regex(pattern = "^(pending|cleared|flagged)$"))]
    status: Option<String>,
}

async fn list(
    State(store): State<Store>,
    page: Page<Key>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<ScoringsView>, Problem> {
    let Query(Wanted { status }) = wanted.map_err(|error| FieldError::new("query", error.body_text()))?;
    if status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(FieldError::new("status", format!("must be one of {}", STATUSES.join(", "))).into());
    }
    let (limit, after) = (page.limit, String::from(page.after.unwrap_or_default()));
    let wanted = status.clone();
    let read = move |tx: &mut Tx<'_>| {
        let oldest_ms = store::oldest_waiting_ms(tx)?;
        Ok::<_, StoreError>((oldest_ms, store::list(tx, wanted.as_deref(), &after, limit + 1)?))
    };
    let (oldest_ms, mut scorings) = store.read(read).await?;
    let oldest_waiting_ms = oldest_ms.map_or(0, |since_ms| (clock::now_ms() - since_ms).max(0));
    let more = scorings.len() > limit as usize;
    scorings.truncate(limit as usize);
    let status = status.map_or_else(String::new, |status| format!("&status={status}"));
    let next =
        scorings.last().filter(|_| more).map(|last| format!("/scorings?limit={limit}&after={}{status}", last.order_id));
    Ok(Json(ScoringsView { scorings, oldest_waiting_ms, next }))
}
