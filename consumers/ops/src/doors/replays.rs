//! `POST /replays`, `GET /replays`, `GET /replays/{replayId}`, and `pause`, `resume`, `cancel` below it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::personal;
use runtime::{JsonBody, Key, Page, Problem, clock};
use schemars::JsonSchema;
use serde::Serialize;
use store::{StoreError, Tx};

use crate::doors::Doors;
use crate::limits::MAX_SHOWN_ITEMS;
use crate::replay::{self, Order};
use crate::rows::items::{self, Counts, ItemRow};
use crate::rows::replays::{self, ReplayRow};
use crate::signed::Signed;

/// A replay and where its messages stand.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplayView {
    #[serde(flatten)]
    replay: ReplayRow,
    stop_at_failure_share: f64,
    messages: Counts,
    /// The first that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<ItemRow>,
    /// The first that were not tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<ItemRow>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listed {
    replays: Vec<ReplayView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn start(
    State(doors): State<Doors>,
    JsonBody(order): JsonBody<Order>,
) -> Result<(StatusCode, Json<ReplayView>), Problem> {
    let (order, signed) = order.checked()?;
    let replay_id = clock::new_id().to_string();
    let job = doors.store.write(clock::now_ms(), move |tx| {
        let replay = replay::create(tx, &order, &signed, &replay_id)?;
        Ok::<_, Problem>(view(tx, replay)?)
    });
    Ok((StatusCode::CREATED, Json(job.await?)))
}

pub(super) async fn list(
    State(doors): State<Doors>,
    Page { limit, after }: Page<Key>,
) -> Result<Json<Listed>, Problem> {
    let page = doors.store.read(move |tx| {
        let rows = replays::list(tx, &String::from(after.unwrap_or_default()), limit)?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
        let next = rows.last().filter(|_| is_full).map(|last| last.replay_id.clone());
        let replays = rows.into_iter().map(|row| brief(tx, row)).collect::<Result<_, _>>()?;
        Ok::<_, StoreError>(Listed { replays, next })
    });
    Ok(Json(page.await?))
}

pub(super) async fn show(
    State(doors): State<Doors>,
    Path(replay_id): Path<String>,
) -> Result<Json<ReplayView>, Problem> {
    let found = doors.store.read(move |tx| {
        let Some(row) = replays::find(tx, &replay_id)? else { return Ok(None) };
        view(tx, row).map(Some)
    });
    found.await?.map(Json).ok_or_else(|| Problem::not_found("replay"))
}

pub(super) async fn pause(
    state: State<Doors>,
    path: Path<String>,
    body: JsonBody<Signed>,
) -> Result<Json<ReplayView>, Problem> {
    control(state, path, body, replay::pause).await
}

pub(super) async fn resume(
    state: State<Doors>,
    path: Path<String>,
    body: JsonBody<Signed>,
) -> Result<Json<ReplayView>, Problem> {
    let patience_ms = state.settle_patience_ms;
    control(state, path, body, move |tx, id, signed| replay::resume(tx, id, signed, patience_ms)).await
}

pub(super) async fn cancel(
    state: State<Doors>,
    path: Path<String>,
    body: JsonBody<Signed>,
) -> Result<Json<ReplayView>, Problem> {
    let patience_ms = state.settle_patience_ms;
    control(state, path, body, move |tx, id, signed| replay::cancel(tx, id, signed, patience_ms)).await
}

async fn control(
    State(doors): State<Doors>,
    Path(replay_id): Path<String>,
    JsonBody(signed): JsonBody<Signed>,
    control: impl FnOnce(&mut Tx<'_>, &str, &Signed) -> Result<ReplayRow, Problem> + Send + 'static,
) -> Result<Json<ReplayView>, Problem> {
    let signed = signed.checked()?;
    let job = doors.store.write(clock::now_ms(), move |tx| {
        let replay = control(tx, &replay_id, &signed)?;
        Ok::<_, Problem>(view(tx, replay)?)
    });
    Ok(Json(job.await?))
}

fn view(tx: &mut Tx<'_>, replay: ReplayRow) -> Result<ReplayView, StoreError> {
    let replay_id = replay.replay_id.clone();
    let mut view = brief(tx, replay)?;
    let mut first = |state| -> Result<Vec<ItemRow>, StoreError> {
        let mut items = items::in_state(tx, &replay_id, state, -1, MAX_SHOWN_ITEMS)?;
        items.iter_mut().for_each(|item| item.reason = personal::text(&item.reason));
        Ok(items)
    };
    view.failed = first("failed")?;
    view.skipped = first("skipped")?;
    Ok(view)
}

fn brief(tx: &mut Tx<'_>, replay: ReplayRow) -> Result<ReplayView, StoreError> {
    let messages = items::counts(tx, &replay.replay_id)?;
    let stop_at_failure_share = f64::from(replay.stop_permille) / 1_000.0;
    Ok(ReplayView { replay, stop_at_failure_share, messages, failed: Vec::new(), skipped: Vec::new() })
}
