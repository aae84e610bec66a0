//! Patched copies of letters.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::{Row, StoreError, Tx, params};

const ADD: &str = "INSERT INTO edits (edit_id, letter_id, patch, diff, data, made_by, why, made_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (edit_id) DO NOTHING";
const FIND: &str =
    "SELECT edit_id, letter_id, patch, diff, data, made_by, why, made_at_ms, approved_by, approved_why, approved_at_ms
    FROM edits WHERE edit_id = ?1";
const OF_LETTER: &str =
    "SELECT edit_id, letter_id, patch, diff, data, made_by, why, made_at_ms, approved_by, approved_why, approved_at_ms
    FROM edits WHERE letter_id = ?1 ORDER BY made_at_ms, edit_id LIMIT 100";
const APPROVE: &str = "UPDATE edits SET approved_by = ?2, approved_why = ?3, approved_at_ms = ?4
    WHERE edit_id = ?1 AND approved_by IS NULL AND made_by <> ?2";

/// A patched copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EditRow {
    pub(crate) edit_id: String,
    pub(crate) letter_id: String,
    #[serde(skip)]
    pub(crate) patch: Value,
    #[serde(skip)]
    pub(crate) diff: Value,
    #[serde(skip)]
    pub(crate) data: String,
    pub(crate) made_by: String,
    pub(crate) why: String,
    pub(crate) made_at_ms: i64,
    pub(crate) approved_by: Option<String>,
    pub(crate) approved_why: Option<String>,
    pub(crate) approved_at_ms: Option<i64>,
}

/// Keeps a copy. False: the very same is there already.
///
/// # Errors
/// Of the database.
pub(crate) fn add(tx: &mut Tx<'_>, edit: &EditRow) -> Result<bool, StoreError> {
    let (patch, diff) = (edit.patch.to_string(), edit.diff.to_string());
    let values =
        params![&edit.edit_id, &edit.letter_id, &patch, &diff, &edit.data, &edit.made_by, &edit.why, edit.made_at_ms];
    Ok(tx.execute(ADD, values)? == 1)
}

/// One copy.
///
/// # Errors
/// Of the database.
pub(crate) fn find(tx: &mut Tx<'_>, edit_id: &str) -> Result<Option<EditRow>, StoreError> {
    tx.query_opt(FIND, params![edit_id], read)
}

/// Every copy of a letter, oldest first.
///
/// # Errors
/// Of the database.
pub(crate) fn of_letter(tx: &mut Tx<'_>, letter_id: &str) -> Result<Vec<EditRow>, StoreError> {
    tx.query(OF_LETTER, params![letter_id], read)
}

/// Approves a copy. False when it was approved before, or by who made it.
///
/// # Errors
/// Of the database.
pub(crate) fn approve(tx: &mut Tx<'_>, edit_id: &str, by: &str, why: &str) -> Result<bool, StoreError> {
    let now_ms = tx.now_ms();
    Ok(tx.execute(APPROVE, params![edit_id, by, why, now_ms])? == 1)
}

fn read(row: &Row<'_>) -> Result<EditRow, StoreError> {
    let json = |index| Ok::<_, StoreError>(serde_json::from_str(row.get_str(index)?).unwrap_or_default());
    Ok(EditRow {
        edit_id: row.get(0)?,
        letter_id: row.get(1)?,
        patch: json(2)?,
        diff: json(3)?,
        data: row.get(4)?,
        made_by: row.get(5)?,
        why: row.get(6)?,
        made_at_ms: row.get(7)?,
        approved_by: row.get(8)?,
        approved_why: row.get(9)?,
        approved_at_ms: row.get(10)?,
    })
}
