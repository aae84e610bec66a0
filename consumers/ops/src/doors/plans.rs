//! `POST /plans`, `GET /plans/{plan}`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::personal;
use runtime::{JsonBody, Page, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::doors::Doors;
use crate::filter::Filter;
use crate::rows::plans::{self, PlanItem, PlanRow};
use crate::signed::Signed;

/// Which letters, and who asks. Looking ahead changes nothing, so a reason may be left out.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Wanted {
    filter: Filter,
    #[schemars(schema_with = "crate::signed::name")]
    by: String,
    #[serde(default = "looking")]
    #[schemars(schema_with = "crate::signed::reason")]
    why: String,
}

fn looking() -> String {
    "to see what a replay would do".to_owned()
}

/// A plan with a page of its predictions.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PlanView {
    #[serde(flatten)]
    plan: PlanRow,
    /// Letters by prediction.
    predictions: BTreeMap<String, i64>,
    items: Vec<PlanItem>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) async fn make(
    State(doors): State<Doors>,
    page: Page<i64>,
    JsonBody(Wanted { filter, by, why }): JsonBody<Wanted>,
) -> Result<(StatusCode, Json<PlanView>), Problem> {
    let (filter, signed) = (filter.checked()?, Signed { by, why }.checked()?);
    let plan = doors.planner.plan(filter, signed, clock::now_ms()).await?;
    Ok((StatusCode::CREATED, Json(view(&doors, plan.plan_hash, page).await?)))
}

pub(super) async fn show(
    State(doors): State<Doors>,
    Path(plan): Path<String>,
    page: Page<i64>,
) -> Result<Json<PlanView>, Problem> {
    Ok(Json(view(&doors, plan, page).await?))
}

async fn view(doors: &Doors, plan: String, Page { limit, after }: Page<i64>) -> Result<PlanView, Problem> {
    let found = doors.store.read(move |tx| {
        let Some(row) = plans::find(tx, &plan)? else { return Ok(None) };
        let predictions = plans::totals(tx, &plan)?;
        let items = plans::items(tx, &plan, after.unwrap_or(-1), limit)?;
        Ok::<_, StoreError>(Some((row, predictions, items)))
    });
    let (plan, predictions, mut items) = found.await?.ok_or_else(|| Problem::not_found("plan"))?;
    items.iter_mut().for_each(|item| item.reason = personal::text(&item.reason));
    let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    let next = items.last().filter(|_| is_full).map(|last| last.position);
    Ok(PlanView { plan, predictions, items, next })
}
