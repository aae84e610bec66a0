//! Who did what, when and why. Rows are added, never changed.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::{Row, StoreError, Tx, params};

use crate::signed::Signed;

const ADD: &str = "INSERT INTO audit (at_ms, action, by_whom, why, what, letter_id, replay_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const LIST: &str = "SELECT seq, at_ms, action, by_whom, why, what, letter_id, replay_id FROM audit
    WHERE seq > ?1 AND (?2 = '' OR letter_id = ?2) AND (?3 = '' OR replay_id = ?3) ORDER BY seq LIMIT ?4";

const NEWEST: &str = "SELECT seq, at_ms, action, by_whom, why, what, letter_id, replay_id FROM audit
    WHERE seq < ?1 AND (?2 = '' OR letter_id = ?2) AND (?3 = '' OR replay_id = ?3) ORDER BY seq DESC LIMIT ?4";

/// Who stands in for a person when the service acts by itself.
pub(crate) const ITSELF: &str = "ops";

/// One action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) at_ms: i64,
    pub(crate) action: String,
    pub(crate) by: String,
    pub(crate) why: String,
    pub(crate) what: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) letter_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) replay_id: String,
}

/// What an action was about; empty for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) letter_id: &'a str,
    pub(crate) replay_id: &'a str,
}

/// Writes an action down, in the transaction that does it.
///
/// # Errors
/// Of the database.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    action: &str,
    signed: &Signed,
    about: About<'_>,
    what: &Value,
) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    let what = what.to_string();
    let values = params![now_ms, action, &signed.by, &signed.why, &what, about.letter_id, about.replay_id];
    tx.execute(ADD, values).map(drop)
}

/// Up to `limit` actions after `after`, oldest first.
///
/// # Errors
/// Of the database.
pub(crate) fn list(tx: &mut Tx<'_>, after: i64, about: About<'_>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    tx.query(LIST, params![after, about.letter_id, about.replay_id, limit], read)
}

/// Up to `limit` actions before `before`, newest first.
///
/// # Errors
/// Of the database.
pub(crate) fn newest(tx: &mut Tx<'_>, before: i64, about: About<'_>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    tx.query(NEWEST, params![before, about.letter_id, about.replay_id, limit], read)
}

fn read(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        action: row.get(2)?,
        by: row.get(3)?,
        why: row.get(4)?,
        what: serde_json::from_str(row.get_str(5)?).unwrap_or_default(),
        letter_id: row.get(6)?,
        replay_id: row.get(7)?,
    })
}
