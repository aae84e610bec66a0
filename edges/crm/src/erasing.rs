//! The doors of an erasure: begin, destroy, prove, call off, list.
//!
//! The steps are apart because others have to be told in between: free text elsewhere is searched with names that nobody knows once the key
//! is gone. Each may be repeated, and what a step before has not brought to its end is made up for.

use ::store::{Store, StoreError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::{CustomerId, FieldError};
use runtime::openapi::line;
use runtime::{JsonBody, Page, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::door::House;
use crate::erasures::{self, Erasure, Proof};

/// The longest name of who asks, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Who is to be erased, and who says so.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    customer_id: CustomerId,
    #[schemars(schema_with = "line::<MAX_NAME_CHARS>")]
    by: String,
}

/// A page of records.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Records {
    erasures: Vec<Erasure>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) async fn list(State(door): State<House>, page: Page<i64>) -> Result<Json<Records>, Problem> {
    let (limit, after) = (page.limit, page.after.unwrap_or_default());
    let erasures = door.store.read(move |tx| erasures::page(tx, after, limit)).await?;
    let is_full = u32::try_from(erasures.len()).is_ok_and(|count| count == limit);
    let next = erasures.last().filter(|_| is_full).map(|last| last.seq.to_string());
    Ok(Json(Records { erasures, next }))
}

pub(crate) async fn begin(
    State(door): State<House>,
    JsonBody(Wanted { customer_id, by }): JsonBody<Wanted>,
) -> Result<Json<Erasure>, Problem> {
    let by = by.split_whitespace().collect::<Vec<_>>().join(" ");
    if !(1..=MAX_NAME_CHARS).contains(&by.chars().count()) || by.chars().any(char::is_control) {
        return Err(FieldError::new("by", format!("must have 1 to {MAX_NAME_CHARS} characters")).into());
    }
    let vault = door.vault.clone();
    let begun = door.store.write(clock::now_ms(), move |tx| erasures::begin(tx, &vault, customer_id.as_str(), &by));
    answer(begun.await?, "customer")
}

/// Destroys the key. Answered only when nothing of it is left in the file either; asked again it makes sure of what is not sure yet.
pub(crate) async fn destroy(
    State(door): State<House>,
    Path(sealed_id): Path<String>,
) -> Result<Json<Erasure>, Problem> {
    let vault = door.vault.clone();
    let destroyed = door.store.write(clock::now_ms(), move |tx| erasures::destroy(tx, &vault, &sealed_id)).await?;
    answer(scrubbed(&door.store, destroyed).await?, "erasure")
}

pub(crate) async fn prove(
    State(door): State<House>,
    Path(sealed_id): Path<String>,
    JsonBody(proof): JsonBody<Proof>,
) -> Result<Json<Erasure>, Problem> {
    let proved = door.store.write(clock::now_ms(), move |tx| erasures::prove(tx, &sealed_id, proof)).await?;
    answer(scrubbed(&door.store, proved).await?, "erasure that was carried out")
}

/// Writes pages and log anew where that is to be done, and notes it.
async fn scrubbed(store: &Store, erasure: Option<Erasure>) -> Result<Option<Erasure>, StoreError> {
    if !erasure.as_ref().is_some_and(Erasure::is_to_be_scrubbed) {
        return Ok(erasure);
    }
    store.scrub().await?;
    store.write(clock::now_ms(), move |tx| erasure.map_or(Ok(None), |it| erasures::scrubbed(tx, &it.sealed_id))).await
}

pub(crate) async fn call_off(State(door): State<House>, Path(sealed_id): Path<String>) -> Result<StatusCode, Problem> {
    let called = door.store.write(clock::now_ms(), move |tx| {
        let is_known = erasures::one(tx, &sealed_id)?.is_some();
        Ok::<_, StoreError>((is_known, erasures::call_off(tx, &sealed_id)?))
    });
    match called.await? {
        (_, true) => Ok(StatusCode::NO_CONTENT),
        (true, false) => Err(Problem::conflict("erased", "the key is destroyed already, nothing brings it back")),
        (false, false) => Err(Problem::not_found("erasure")),
    }
}

fn answer(found: Option<Erasure>, what: &str) -> Result<Json<Erasure>, Problem> {
    found.map(Json).ok_or_else(|| Problem::not_found(what))
}
