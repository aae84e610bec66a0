//! Plans and what they predict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::{Row, StoreError, Tx, params};

const ADD: &str = "INSERT INTO plans (plan_hash, consumer, filter, made_by, made_at_ms, expires_at_ms, letters)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const ADD_ITEM: &str = "INSERT INTO plan_items
        (plan_hash, position, letter_id, prediction, code, reason, says, deaths, edit_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const FIND: &str = "SELECT plan_hash, consumer, filter, made_by, made_at_ms, expires_at_ms, letters, replay_id
    FROM plans WHERE plan_hash = ?1";
const USE: &str = "UPDATE plans SET replay_id = ?2 WHERE plan_hash = ?1 AND replay_id IS NULL";
const ITEMS: &str = "SELECT position, letter_id, prediction, code, reason, says, deaths, edit_id FROM plan_items
    WHERE plan_hash = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
const TOTALS: &str = "SELECT prediction, COUNT(*) FROM plan_items WHERE plan_hash = ?1 GROUP BY prediction";

/// One plan at a time: it may have a hundred thousand items.
const OLD: &str = "SELECT p.plan_hash, p.replay_id FROM plans p
    WHERE (p.replay_id IS NULL AND p.made_at_ms < ?1 AND p.expires_at_ms < ?1)
        OR (p.replay_id IS NOT NULL AND p.made_at_ms < ?2
            AND EXISTS (SELECT 1 FROM plan_items i WHERE i.plan_hash = p.plan_hash))
    ORDER BY p.made_at_ms LIMIT 1";
const FORGET_ITEMS: &str = "DELETE FROM plan_items WHERE plan_hash = ?1";
const FORGET: &str = "DELETE FROM plans WHERE plan_hash = ?1 AND replay_id IS NULL";

/// A plan without its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanRow {
    #[serde(rename = "plan")]
    pub(crate) plan_hash: String,
    pub(crate) consumer: String,
    pub(crate) filter: Value,
    pub(crate) made_by: String,
    pub(crate) made_at_ms: i64,
    pub(crate) expires_at_ms: i64,
    pub(crate) letters: i64,
    pub(crate) replay_id: Option<String>,
}

/// What is predicted of one letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanItem {
    pub(crate) position: i64,
    pub(crate) letter_id: String,
    pub(crate) prediction: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    /// Types that would be said.
    pub(crate) says: Vec<String>,
    /// Deaths of the letter when it was planned: one that died again since has another reason.
    pub(crate) deaths: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) edit_id: String,
}

/// Keeps a plan.
///
/// # Errors
/// Of the database.
pub(crate) fn add(tx: &mut Tx<'_>, plan: &PlanRow, items: &[PlanItem]) -> Result<(), StoreError> {
    let filter = plan.filter.to_string();
    let values = params![
        &plan.plan_hash,
        &plan.consumer,
        &filter,
        &plan.made_by,
        plan.made_at_ms,
        plan.expires_at_ms,
        plan.letters
    ];
    tx.execute(ADD, values)?;
    for item in items {
        let says = item.says.join(" ");
        let values = params![
            &plan.plan_hash,
            item.position,
            &item.letter_id,
            &item.prediction,
            &item.code,
            &item.reason,
            &says,
            item.deaths,
            &item.edit_id,
        ];
        tx.execute(ADD_ITEM, values)?;
    }
    Ok(())
}

/// One plan.
///
/// # Errors
/// Of the database.
pub(crate) fn find(tx: &mut Tx<'_>, plan_hash: &str) -> Result<Option<PlanRow>, StoreError> {
    tx.query_opt(FIND, params![plan_hash], |row: &Row<'_>| {
        Ok(PlanRow {
            plan_hash: row.get(0)?,
            consumer: row.get(1)?,
            filter: serde_json::from_str(row.get_str(2)?).unwrap_or_default(),
            made_by: row.get(3)?,
            made_at_ms: row.get(4)?,
            expires_at_ms: row.get(5)?,
            letters: row.get(6)?,
            replay_id: row.get(7)?,
        })
    })
}

/// Uses a plan up. False when another replay has.
///
/// # Errors
/// Of the database.
pub(crate) fn use_up(tx: &mut Tx<'_>, plan_hash: &str, replay_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(USE, params![plan_hash, replay_id])? == 1)
}

/// Up to `limit` items after position `after` (-1 for the first).
///
/// # Errors
/// Of the database.
pub(crate) fn items(tx: &mut Tx<'_>, plan_hash: &str, after: i64, limit: u32) -> Result<Vec<PlanItem>, StoreError> {
    tx.query(ITEMS, params![plan_hash, after, limit], |row: &Row<'_>| {
        Ok(PlanItem {
            position: row.get(0)?,
            letter_id: row.get(1)?,
            prediction: row.get(2)?,
            code: row.get(3)?,
            reason: row.get(4)?,
            says: row.get_str(5)?.split_whitespace().map(ToOwned::to_owned).collect(),
            deaths: row.get(6)?,
            edit_id: row.get(7)?,
        })
    })
}

/// How many letters each prediction is of.
///
/// # Errors
/// Of the database.
pub(crate) fn totals(tx: &mut Tx<'_>, plan_hash: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    Ok(tx.query(TOTALS, params![plan_hash], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// Forgets one plan that was not used and ended before `unused_ms`, or the items of one that was used and is older than `old_ms`. Answers
/// how many that were.
///
/// # Errors
/// Of the database.
pub(crate) fn purge(tx: &mut Tx<'_>, unused_ms: i64, old_ms: i64) -> Result<u64, StoreError> {
    let found =
        tx.query_opt(OLD, params![unused_ms, old_ms], |row| Ok((row.get_text(0)?, row.get::<Option<String>>(1)?)))?;
    let Some((plan_hash, replay_id)) = found else { return Ok(0) };
    // A replay may be about to use it.
    tx.lock(&plan_hash)?;
    tx.execute(FORGET_ITEMS, params![&plan_hash])?;
    if replay_id.is_none() {
        tx.execute(FORGET, params![&plan_hash])?;
    }
    Ok(1)
}
