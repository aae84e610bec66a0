//! Erasing a customer, in SQL: begun, carried out, proved.
//!
//! Begun: they may not order any more, and everything about them is still there. Carried out: their key, the hash that found them and what
//! was encrypted are gone; the row stays under its sealed id. Proved: a look through the house found nothing, or so many places.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Row as SqlRow, StoreError, Tx, params};

use crate::store::sealed_id;
use crate::vault::Vault;

const KNOWN: &str = "SELECT COALESCE(lookup, '') FROM subjects WHERE sealed_id = ?1";
const BEGIN: &str =
    "INSERT INTO erasures (sealed_id, asked_by, begun_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT (sealed_id) DO NOTHING";
const DESTROY: &str = "UPDATE subjects SET lookup = NULL, wrapped_key = NULL, contents = NULL WHERE sealed_id = ?1";
const ERASED: &str = "UPDATE erasures SET erased_at_ms = ?2 WHERE sealed_id = ?1 AND erased_at_ms IS NULL";
const PROVED: &str = "UPDATE erasures SET proved_at_ms = ?2, places = ?3, findings = ?4
    WHERE sealed_id = ?1 AND erased_at_ms IS NOT NULL";
const CALL_OFF: &str = "DELETE FROM erasures WHERE sealed_id = ?1 AND erased_at_ms IS NULL";
const ONE: &str = "SELECT seq, sealed_id, asked_by, begun_at_ms, erased_at_ms, proved_at_ms, places, findings
    FROM erasures WHERE sealed_id = ?1";
const PAGE: &str = "SELECT seq, sealed_id, asked_by, begun_at_ms, erased_at_ms, proved_at_ms, places, findings
    FROM erasures WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// The record of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Erasure {
    #[serde(skip)]
    pub(crate) seq: i64,
    sealed_id: String,
    asked_by: String,
    begun_at_ms: i64,
    erased_at_ms: Option<i64>,
    proved_at_ms: Option<i64>,
    places: Option<i64>,
    findings: Option<i64>,
}

/// What a look for what is left has found.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) struct Proof {
    /// Places looked at.
    pub(crate) places: u32,
    /// Those of them in which the person was found.
    pub(crate) findings: u32,
}

/// Begins, or goes on with what was begun. `None` for a customer who is not here.
pub(crate) fn begin(tx: &mut Tx<'_>, vault: &Vault, id: &str, by: &str) -> Result<Option<Erasure>, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, id)? else { return Ok(None) };
    let now_ms = tx.now_ms();
    if tx.query_opt(KNOWN, params![&sealed_id], |row| row.get_text(0))?.is_none() {
        return Ok(None);
    }
    tx.execute(BEGIN, params![&sealed_id, by, now_ms])?;
    one(tx, &sealed_id)
}

/// Destroys the key and everything it opens. `None` when it was not begun.
pub(crate) fn destroy(tx: &mut Tx<'_>, sealed_id: &str) -> Result<Option<Erasure>, StoreError> {
    let Some(erasure) = one(tx, sealed_id)? else { return Ok(None) };
    if let Some(lookup) = tx.query_opt(KNOWN, params![&erasure.sealed_id], |row| row.get_text(0))? {
        // Against a change of the customer, which would write their contents again.
        tx.lock(&lookup)?;
    }
    let now_ms = tx.now_ms();
    tx.execute(DESTROY, params![sealed_id])?;
    tx.execute(ERASED, params![sealed_id, now_ms])?;
    one(tx, sealed_id)
}

/// Keeps what a look for what is left has found. `None` when nothing was erased yet.
pub(crate) fn prove(tx: &mut Tx<'_>, sealed_id: &str, proof: Proof) -> Result<Option<Erasure>, StoreError> {
    let now_ms = tx.now_ms();
    let changed = tx.execute(PROVED, params![sealed_id, now_ms, proof.places, proof.findings])?;
    if changed == 1 { one(tx, sealed_id) } else { Ok(None) }
}

/// Calls off what was begun. False when there is nothing to call off, or no more.
pub(crate) fn call_off(tx: &mut Tx<'_>, sealed_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(CALL_OFF, params![sealed_id])? == 1)
}

/// The record of one.
pub(crate) fn one(tx: &mut Tx<'_>, sealed_id: &str) -> Result<Option<Erasure>, StoreError> {
    tx.query_opt(ONE, params![sealed_id], read)
}

/// Records after `after`, in the order in which they were begun.
pub(crate) fn page(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Erasure>, StoreError> {
    tx.query(PAGE, params![after, limit], read)
}

fn read(row: &SqlRow<'_>) -> Result<Erasure, StoreError> {
    Ok(Erasure {
        seq: row.get_i64(0)?,
        sealed_id: row.get_text(1)?,
        asked_by: row.get_text(2)?,
        begun_at_ms: row.get_i64(3)?,
        erased_at_ms: row.get_opt_i64(4)?,
        proved_at_ms: row.get_opt_i64(5)?,
        places: row.get_opt_i64(6)?,
        findings: row.get_opt_i64(7)?,
    })
}
