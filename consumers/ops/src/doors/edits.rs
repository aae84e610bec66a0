//! `POST /letters/{letterId}/edits`, `POST /letters/{letterId}/edits/withdraw`, `POST /edits/{editId}/approve`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::personal;
use runtime::{JsonBody, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoreError;

use crate::doors::Doors;
use crate::edit;
use crate::rows::edits::EditRow;
use crate::rows::letters::{self, LetterRow};
use crate::signed::Signed;

/// A patch, by whom and why.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Proposal {
    patch: Value,
    #[serde(flatten)]
    signed: Signed,
}

/// An edit as it is shown: which fields it changes, and the payload it makes, masked.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EditView {
    #[serde(flatten)]
    edit: EditRow,
    /// `proposed`, `approved`, or `replaced` by another or by none.
    state: &'static str,
    changes: Vec<String>,
    payload: Value,
}

impl EditView {
    pub(super) fn new(edit: EditRow, letter: &LetterRow) -> Self {
        let state = match (&edit.approved_by, letter.edit_id == edit.edit_id) {
            (_, false) => "replaced",
            (Some(_), true) => "approved",
            (None, true) => "proposed",
        };
        let changes = edit::paths(&edit.diff);
        let payload = personal::payload(&letter.event_type, &edit.data);
        Self { edit, state, changes, payload }
    }
}

pub(super) async fn propose(
    State(doors): State<Doors>,
    Path(letter_id): Path<String>,
    JsonBody(Proposal { patch, signed }): JsonBody<Proposal>,
) -> Result<(StatusCode, Json<EditView>), Problem> {
    let signed = signed.checked()?;
    let job = doors.store.write(clock::now_ms(), move |tx| edit::propose(tx, &letter_id, patch, &signed));
    let edit = job.await?;
    Ok((StatusCode::CREATED, Json(view(&doors, edit).await?)))
}

pub(super) async fn approve(
    State(doors): State<Doors>,
    Path(edit_id): Path<String>,
    JsonBody(signed): JsonBody<Signed>,
) -> Result<Json<EditView>, Problem> {
    let signed = signed.checked()?;
    let edit = doors.store.write(clock::now_ms(), move |tx| edit::approve(tx, &edit_id, &signed)).await?;
    Ok(Json(view(&doors, edit).await?))
}

pub(super) async fn withdraw(
    State(doors): State<Doors>,
    Path(letter_id): Path<String>,
    JsonBody(signed): JsonBody<Signed>,
) -> Result<Json<EditView>, Problem> {
    let signed = signed.checked()?;
    let edit = doors.store.write(clock::now_ms(), move |tx| edit::withdraw(tx, &letter_id, &signed)).await?;
    Ok(Json(view(&doors, edit).await?))
}

async fn view(doors: &Doors, edit: EditRow) -> Result<EditView, Problem> {
    let letter_id = edit.letter_id.clone();
    let letter = doors.store.read::<_, StoreError>(move |tx| letters::find(tx, &letter_id)).await?;
    Ok(EditView::new(edit, &letter.ok_or_else(|| Problem::not_found("letter"))?))
}
