//! Erasing a customer, in SQL: begun, carried out, proved.
//!
//! Begun: they may not order any more, and everything about them is still there. Carried out: their key, the hash that found them and what
//! was encrypted are gone from the rows; the row stays under its sealed id. Scrubbed: they are gone from pages and log too. Proved: a look
//! through the house found nothing, or so many places; once it found nothing, nobody can tell any more whose erasure it was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Row as SqlRow, StoreError, Tx, params};

use crate::store::sealed_id;
use crate::vault::Vault;

const KNOWN: &str = "SELECT COALESCE(lookup, '') FROM subjects WHERE sealed_id = ?1";
const BEGIN: &str =
    "INSERT INTO erasures (sealed_id, asked_by, begun_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT (sealed_id) DO NOTHING";
const LOCKED: &str = "SELECT wrapped_key, contents FROM subjects WHERE sealed_id = ?1";
const DESTROY: &str = "UPDATE subjects SET lookup = NULL, wrapped_key = NULL, contents = NULL WHERE sealed_id = ?1";
const ERASED: &str = "UPDATE erasures SET erased_at_ms = ?2, claim = ?3 WHERE sealed_id = ?1 AND erased_at_ms IS NULL";
const CLAIMED: &str = "SELECT sealed_id FROM erasures WHERE claim = ?1 ORDER BY seq DESC LIMIT 1";
const SCRUBBED: &str = "UPDATE erasures SET scrubbed_at_ms = ?2 WHERE sealed_id = ?1 AND erased_at_ms IS NOT NULL";
const UNSCRUBBED: &str = "SELECT COUNT(*) FROM erasures WHERE erased_at_ms IS NOT NULL AND scrubbed_at_ms IS NULL";
// A claim that goes leaves something behind as well.
const PROVED: &str = "UPDATE erasures SET proved_at_ms = ?2, places = ?3, findings = ?4,
        scrubbed_at_ms = CASE WHEN ?4 = 0 AND claim IS NOT NULL THEN NULL ELSE scrubbed_at_ms END,
        claim = CASE WHEN ?4 = 0 THEN NULL ELSE claim END
    WHERE sealed_id = ?1 AND erased_at_ms IS NOT NULL";
const CALL_OFF: &str = "DELETE FROM erasures WHERE sealed_id = ?1 AND erased_at_ms IS NULL";
const ONE: &str =
    "SELECT seq, sealed_id, asked_by, begun_at_ms, erased_at_ms, scrubbed_at_ms, proved_at_ms, places, findings
    FROM erasures WHERE sealed_id = ?1";
const PAGE: &str =
    "SELECT seq, sealed_id, asked_by, begun_at_ms, erased_at_ms, scrubbed_at_ms, proved_at_ms, places, findings
    FROM erasures WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// The record of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Erasure {
    #[serde(skip)]
    pub(crate) seq: i64,
    pub(crate) sealed_id: String,
    asked_by: String,
    begun_at_ms: i64,
    erased_at_ms: Option<i64>,
    /// Since when what was destroyed is in no page and no log of the database either.
    scrubbed_at_ms: Option<i64>,
    proved_at_ms: Option<i64>,
    places: Option<i64>,
    findings: Option<i64>,
}

impl Erasure {
    /// Whether something was destroyed that may still be in a page or the log.
    pub(crate) fn is_to_be_scrubbed(&self) -> bool {
        self.erased_at_ms.is_some() && self.scrubbed_at_ms.is_none()
    }
}

/// What a look for what is left has found.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) struct Proof {
    /// Places looked at.
    pub(crate) places: u32,
    /// Those of them in which the person was found.
    pub(crate) findings: u32,
}

/// Begins, or goes on with what was begun, also with what was carried out and not proved. `None` for a customer who is not here.
pub(crate) fn begin(tx: &mut Tx<'_>, vault: &Vault, id: &str, by: &str) -> Result<Option<Erasure>, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, id)? else {
        let claimed = tx.query_opt(CLAIMED, params![&vault.claim(id)], |row| row.get_text(0))?;
        return claimed.map_or(Ok(None), |sealed_id| one(tx, &sealed_id));
    };
    let now_ms = tx.now_ms();
    if tx.query_opt(KNOWN, params![&sealed_id], |row| row.get_text(0))?.is_none() {
        return Ok(None);
    }
    tx.execute(BEGIN, params![&sealed_id, by, now_ms])?;
    one(tx, &sealed_id)
}

/// Destroys the key and everything it opens. `None` when it was not begun.
pub(crate) fn destroy(tx: &mut Tx<'_>, vault: &Vault, sealed_id: &str) -> Result<Option<Erasure>, StoreError> {
    let Some(erasure) = one(tx, sealed_id)? else { return Ok(None) };
    if let Some(lookup) = tx.query_opt(KNOWN, params![&erasure.sealed_id], |row| row.get_text(0))? {
        // Against a change of the customer, which would write their contents again.
        tx.lock(&lookup)?;
    }
    let locked = tx.query_opt(LOCKED, params![sealed_id], |row| Ok(row.get_opt_text(0)?.zip(row.get_opt_text(1)?)))?;
    // A row that does not open goes all the same, and its erasure is known by the sealed id alone.
    let contents = locked.flatten().and_then(|(key, contents)| vault.open(sealed_id, &key, &contents).ok());
    let claim = contents.map(|contents| vault.claim(&contents.customer_id));
    let now_ms = tx.now_ms();
    tx.execute(ERASED, params![sealed_id, now_ms, claim.as_deref()])?;
    tx.execute(DESTROY, params![sealed_id])?;
    one(tx, sealed_id)
}

/// Notes that pages and log were written anew.
pub(crate) fn scrubbed(tx: &mut Tx<'_>, sealed_id: &str) -> Result<Option<Erasure>, StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(SCRUBBED, params![sealed_id, now_ms])?;
    one(tx, sealed_id)
}

/// Whether something was destroyed that may still be in a page or the log.
pub(crate) fn is_scrub_due(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.query_opt(UNSCRUBBED, &[], |row| row.get_i64(0))?.is_some_and(|count| count > 0))
}

/// Keeps what a look for what is left has found; with a clean one goes what the customer was recognised by. `None` when nothing was
/// erased yet.
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
        scrubbed_at_ms: row.get_opt_i64(5)?,
        proved_at_ms: row.get_opt_i64(6)?,
        places: row.get_opt_i64(7)?,
        findings: row.get_opt_i64(8)?,
    })
}
