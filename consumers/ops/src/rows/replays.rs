//! Replays: how they are to run and where they stand.

use schemars::JsonSchema;
use serde::Serialize;
use store::{Row, StoreError, Tx, params};

const ADD: &str = "INSERT INTO replays (replay_id, plan_hash, consumer, state, note, made_by, why, rate_per_s, ramp,
        stop_permille, ramp_at, step, made_at_ms, resumed_at_ms, changed_at_ms)
    VALUES (?1, ?2, ?3, 'running', '', ?4, ?5, ?6, ?7, ?8, 0, 0, ?9, ?9, ?9)";
const FIND: &str =
    "SELECT replay_id, plan_hash, consumer, state, note, made_by, why, rate_per_s, ramp, stop_permille, ramp_at,
        step, made_at_ms, resumed_at_ms, changed_at_ms
    FROM replays WHERE replay_id = ?1";
const LIST: &str =
    "SELECT replay_id, plan_hash, consumer, state, note, made_by, why, rate_per_s, ramp, stop_permille, ramp_at,
        step, made_at_ms, resumed_at_ms, changed_at_ms
    FROM replays WHERE replay_id > ?1 ORDER BY replay_id LIMIT ?2";
/// Those that run, and those with messages out whose fate is still to be learnt.
const ACTIVE: &str = "SELECT replay_id FROM replays
    WHERE state = 'running' OR EXISTS (SELECT 1 FROM replay_items
        WHERE replay_items.replay_id = replays.replay_id AND replay_items.state = 'published')
    ORDER BY replay_id LIMIT 100";
const SET_STATE: &str = "UPDATE replays SET state = ?2, note = ?3, changed_at_ms = ?4 WHERE replay_id = ?1";
const SET_NOTE: &str = "UPDATE replays SET note = ?2, changed_at_ms = ?3 WHERE replay_id = ?1 AND note <> ?2";
const OPEN_STEP: &str = "UPDATE replays SET ramp_at = ?2, step = ?3, changed_at_ms = ?4 WHERE replay_id = ?1";
const RESUME: &str =
    "UPDATE replays SET state = 'running', note = '', ramp_at = ?2, step = ?3, resumed_at_ms = ?4, changed_at_ms = ?4
    WHERE replay_id = ?1";

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayRow {
    pub(crate) replay_id: String,
    #[serde(rename = "plan")]
    pub(crate) plan_hash: String,
    pub(crate) consumer: String,
    pub(crate) state: String,
    /// Why it stands still, or what it waits for; empty when all is well.
    pub(crate) note: String,
    pub(crate) made_by: String,
    pub(crate) why: String,
    #[serde(rename = "ratePerSecond")]
    pub(crate) rate_per_s: u32,
    pub(crate) ramp: Vec<u32>,
    #[serde(skip)]
    pub(crate) stop_permille: u32,
    /// Place in the ramp of the step that comes next; the ramp's length once it is behind.
    #[serde(skip)]
    pub(crate) ramp_at: u32,
    /// Number of the step under way. 0 before the first.
    pub(crate) step: i64,
    pub(crate) made_at_ms: i64,
    pub(crate) resumed_at_ms: i64,
    pub(crate) changed_at_ms: i64,
}

/// Keeps a new replay, which runs from then on.
///
/// # Errors
/// Of the database.
pub(crate) fn add(tx: &mut Tx<'_>, replay: &ReplayRow) -> Result<(), StoreError> {
    let ramp = replay.ramp.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let values = params![
        &replay.replay_id,
        &replay.plan_hash,
        &replay.consumer,
        &replay.made_by,
        &replay.why,
        replay.rate_per_s,
        &ramp,
        replay.stop_permille,
        replay.made_at_ms,
    ];
    tx.execute(ADD, values).map(drop)
}

/// One replay.
///
/// # Errors
/// Of the database.
pub(crate) fn find(tx: &mut Tx<'_>, replay_id: &str) -> Result<Option<ReplayRow>, StoreError> {
    tx.query_opt(FIND, params![replay_id], read)
}

/// Up to `limit` replays after `after`, in the order they were made.
///
/// # Errors
/// Of the database.
pub(crate) fn list(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<ReplayRow>, StoreError> {
    tx.query(LIST, params![after, limit], read)
}

/// Replays that have something left to do or to learn.
///
/// # Errors
/// Of the database.
pub(crate) fn active(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    tx.query(ACTIVE, &[], |row| row.get_text(0))
}

/// Puts a replay into another state, with the reason.
///
/// # Errors
/// Of the database.
pub(crate) fn set_state(tx: &mut Tx<'_>, replay_id: &str, state: &str, note: &str) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(SET_STATE, params![replay_id, state, note, now_ms]).map(drop)
}

/// Says what a replay waits for.
///
/// # Errors
/// Of the database.
pub(crate) fn set_note(tx: &mut Tx<'_>, replay_id: &str, note: &str) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(SET_NOTE, params![replay_id, note, now_ms]).map(drop)
}

/// Begins the step numbered `step`; `ramp_at` is the place of the one after it.
///
/// # Errors
/// Of the database.
pub(crate) fn open_step(tx: &mut Tx<'_>, replay_id: &str, ramp_at: u32, step: i64) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(OPEN_STEP, params![replay_id, ramp_at, step, now_ms]).map(drop)
}

/// Lets a replay run on, from a place in its ramp and a step.
///
/// # Errors
/// Of the database.
pub(crate) fn resume(tx: &mut Tx<'_>, replay_id: &str, ramp_at: u32, step: i64) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(RESUME, params![replay_id, ramp_at, step, now_ms]).map(drop)
}

fn read(row: &Row<'_>) -> Result<ReplayRow, StoreError> {
    Ok(ReplayRow {
        replay_id: row.get(0)?,
        plan_hash: row.get(1)?,
        consumer: row.get(2)?,
        state: row.get(3)?,
        note: row.get(4)?,
        made_by: row.get(5)?,
        why: row.get(6)?,
        rate_per_s: row.get(7)?,
        ramp: row.get_str(8)?.split_whitespace().filter_map(|size| size.parse().ok()).collect(),
        stop_permille: row.get(9)?,
        ramp_at: row.get(10)?,
        step: row.get(11)?,
        made_at_ms: row.get(12)?,
        resumed_at_ms: row.get(13)?,
        changed_at_ms: row.get(14)?,
    })
}
