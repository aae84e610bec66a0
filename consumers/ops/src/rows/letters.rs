//! Letters and their deaths.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use store::{Row, StoreError, Tx, params};

use crate::filter::Filter;
use crate::incoming::Incoming;

const FIND: &str =
    "SELECT letter_id, consumer, source, event_id, event_type, order_id, topic, state, code, fingerprint, reason,
        attempts, deaths, occurred_at_ms, first_died_at_ms, last_died_at_ms, replay_id, edit_id, attributes, data
    FROM letters WHERE letter_id = ?1";
const LIST: &str =
    "SELECT letter_id, consumer, source, event_id, event_type, order_id, topic, state, code, fingerprint, reason,
        attempts, deaths, occurred_at_ms, first_died_at_ms, last_died_at_ms, replay_id, edit_id, '{}', ''
    FROM letters
    WHERE (?1 = '' OR consumer = ?1) AND (?2 = '' OR event_type = ?2) AND (?3 = '' OR order_id = ?3)
        AND (?4 = '' OR code = ?4) AND (?5 = '' OR fingerprint = ?5) AND (?6 = '' OR state = ?6)
        AND last_died_at_ms >= ?7 AND last_died_at_ms < ?8 AND letter_id > ?9
    ORDER BY letter_id LIMIT ?10";
const ADD: &str = "INSERT INTO letters
        (letter_id, consumer, source, event_id, event_type, order_id, topic, state, code, fingerprint, reason, attempts,
         attempts_known, deaths, occurred_at_ms, first_died_at_ms, last_died_at_ms, replay_id, edit_id, attributes, data)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8, ?9, ?10, ?11, 0, 1, ?12, ?13, ?13, '', '', ?14, ?15)
    ON CONFLICT (letter_id) DO NOTHING";
/// Another death of a letter that is known. It opens the letter again, unless the consumer had counted this failure before the event
/// was last published: then the news is older than what is known.
const DIED_AGAIN: &str =
    "UPDATE letters SET deaths = deaths + 1, code = ?2, fingerprint = ?3, reason = ?4, attempts = ?5,
        first_died_at_ms = CASE WHEN ?6 < first_died_at_ms THEN ?6 ELSE first_died_at_ms END,
        last_died_at_ms = CASE WHEN ?6 > last_died_at_ms THEN ?6 ELSE last_died_at_ms END,
        state = CASE WHEN state = 'archived' OR (?7 = 1 AND ?5 <= attempts_known) THEN state ELSE 'open' END
    WHERE letter_id = ?1";
const ADD_DEATH: &str = "INSERT INTO deaths
        (death_id, letter_id, kind, code, fingerprint, reason, attempts, died_at_ms, kept_at_ms, replay_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (death_id) DO NOTHING";
const DEATHS: &str = "SELECT kind, code, fingerprint, reason, attempts, died_at_ms, replay_id FROM deaths
    WHERE letter_id = ?1 ORDER BY died_at_ms, death_id LIMIT 100";
const ARCHIVE: &str = "UPDATE letters SET state = 'archived' WHERE letter_id = ?1 AND state = 'open'";
const TAKE: &str = "UPDATE letters SET state = 'replaying', replay_id = ?2
    WHERE letter_id = ?1 AND state IN ('open', 'replaying') AND (state = 'open' OR replay_id = ?2)";
const GIVE_BACK: &str =
    "UPDATE letters SET state = 'open' WHERE letter_id = ?1 AND state = 'replaying' AND replay_id = ?2";
const HANDLED: &str = "UPDATE letters SET state = 'handled' WHERE letter_id = ?1 AND state <> 'archived'";
const FOUND_HANDLED: &str = "UPDATE letters SET state = 'handled' WHERE letter_id = ?1 AND state = 'open'";
/// The failure is counted, so that its death, which may come in later, does not open the letter once more.
const DIED_IN: &str = "UPDATE letters SET state = 'open', code = ?3, fingerprint = ?4, reason = ?5, attempts_known = ?6
    WHERE letter_id = ?1 AND state = 'replaying' AND replay_id = ?2";
const KNOWN: &str = "UPDATE letters SET attempts_known = ?2 WHERE letter_id = ?1";
const EDITED: &str = "UPDATE letters SET edit_id = ?2 WHERE letter_id = ?1 AND state = 'open'";

const OLD: &str = "SELECT letter_id FROM letters
    WHERE last_died_at_ms < ?1 AND state IN ('handled', 'archived') ORDER BY last_died_at_ms LIMIT ?2";
const FORGET_ITEMS: &str = "DELETE FROM replay_items WHERE letter_id = ?1";
const FORGET_EDITS: &str = "DELETE FROM edits WHERE letter_id = ?1";
const FORGET_DEATHS: &str = "DELETE FROM deaths WHERE letter_id = ?1";
const FORGET: &str = "DELETE FROM letters WHERE letter_id = ?1";

/// A letter as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LetterRow {
    pub(crate) letter_id: String,
    pub(crate) consumer: String,
    pub(crate) source: String,
    pub(crate) event_id: String,
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) order_id: String,
    pub(crate) topic: String,
    pub(crate) state: String,
    pub(crate) code: String,
    pub(crate) fingerprint: String,
    pub(crate) reason: String,
    pub(crate) attempts: i64,
    pub(crate) deaths: i64,
    pub(crate) occurred_at_ms: i64,
    pub(crate) first_died_at_ms: i64,
    pub(crate) last_died_at_ms: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) replay_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) edit_id: String,
    #[serde(skip)]
    pub(crate) attributes: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) data: String,
}

/// One death, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeathRow {
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) fingerprint: String,
    pub(crate) reason: String,
    pub(crate) attempts: i64,
    pub(crate) died_at_ms: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) replay_id: String,
}

/// Keeps a death, and its letter with the first. False: this death is known.
///
/// # Errors
/// Of the database.
pub(crate) fn keep(tx: &mut Tx<'_>, incoming: &Incoming) -> Result<bool, StoreError> {
    let (death, letter_id, now_ms) = (&incoming.death, incoming.letter_id.as_str(), tx.now_ms());
    tx.lock(letter_id)?;
    let (code, fingerprint, reason) = (death.code.as_str(), death.fingerprint.as_str(), death.reason.as_str());
    let values = params![
        &death.death_id,
        letter_id,
        death.kind.as_str(),
        code,
        fingerprint,
        reason,
        death.attempts,
        death.died_at_ms,
        now_ms,
        &death.replay_id,
    ];
    if tx.execute(ADD_DEATH, values)? == 0 {
        return Ok(false);
    }
    let values = params![
        letter_id,
        incoming.consumer,
        &incoming.source,
        &incoming.event_id,
        &incoming.event_type,
        &incoming.order_id,
        &incoming.topic,
        code,
        fingerprint,
        reason,
        death.attempts,
        incoming.occurred_at_ms,
        death.died_at_ms,
        &incoming.attributes,
        &incoming.data,
    ];
    if tx.execute(ADD, values)? == 0 {
        let is_counted = death.kind == crate::incoming::Kind::Consumer;
        let values =
            params![letter_id, code, fingerprint, reason, death.attempts, death.died_at_ms, i64::from(is_counted)];
        tx.execute(DIED_AGAIN, values)?;
    }
    Ok(true)
}

/// One letter.
///
/// # Errors
/// Of the database.
pub(crate) fn find(tx: &mut Tx<'_>, letter_id: &str) -> Result<Option<LetterRow>, StoreError> {
    tx.query_opt(FIND, params![letter_id], read)
}

/// Up to `limit` letters after `after`, by id, without attributes and data.
///
/// # Errors
/// Of the database.
pub(crate) fn list(tx: &mut Tx<'_>, filter: &Filter, after: &str, limit: u32) -> Result<Vec<LetterRow>, StoreError> {
    if !filter.letters.is_empty() {
        let mut ids: Vec<&String> = filter.letters.iter().filter(|id| id.as_str() > after).collect();
        ids.sort();
        ids.dedup();
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let found = ids.into_iter().take(most).map(|id| find(tx, id)).collect::<Result<Vec<_>, _>>()?;
        return Ok(found.into_iter().flatten().collect());
    }
    let or_all = Filter::or_all;
    let values = params![
        or_all(&filter.consumer),
        or_all(&filter.event_type),
        or_all(&filter.order),
        or_all(&filter.code),
        or_all(&filter.fingerprint),
        or_all(&filter.state),
        filter.since_ms(),
        filter.until_ms(),
        after,
        limit,
    ];
    tx.query(LIST, values, read)
}

/// A letter's deaths, oldest first.
///
/// # Errors
/// Of the database.
pub(crate) fn deaths(tx: &mut Tx<'_>, letter_id: &str) -> Result<Vec<DeathRow>, StoreError> {
    tx.query(DEATHS, params![letter_id], |row: &Row<'_>| {
        Ok(DeathRow {
            kind: row.get(0)?,
            code: row.get(1)?,
            fingerprint: row.get(2)?,
            reason: row.get(3)?,
            attempts: row.get(4)?,
            died_at_ms: row.get(5)?,
            replay_id: row.get(6)?,
        })
    })
}

/// Puts an open letter away. False when it is not open.
///
/// # Errors
/// Of the database.
pub(crate) fn archive(tx: &mut Tx<'_>, letter_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(ARCHIVE, params![letter_id])? == 1)
}

/// Takes an open letter for a replay; one it has already stays its. False when another has it, or it is closed.
///
/// # Errors
/// Of the database.
pub(crate) fn take(tx: &mut Tx<'_>, letter_id: &str, replay_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE, params![letter_id, replay_id])? == 1)
}

/// Gives a letter back that a replay took.
///
/// # Errors
/// Of the database.
pub(crate) fn give_back(tx: &mut Tx<'_>, letter_id: &str, replay_id: &str) -> Result<(), StoreError> {
    tx.execute(GIVE_BACK, params![letter_id, replay_id]).map(drop)
}

/// Closes a letter whose event was handled.
///
/// # Errors
/// Of the database.
pub(crate) fn handled(tx: &mut Tx<'_>, letter_id: &str) -> Result<(), StoreError> {
    tx.execute(HANDLED, params![letter_id]).map(drop)
}

/// Closes an open letter that a dry run found to be handled.
///
/// # Errors
/// Of the database.
pub(crate) fn found_handled(tx: &mut Tx<'_>, letter_id: &str) -> Result<(), StoreError> {
    tx.execute(FOUND_HANDLED, params![letter_id]).map(drop)
}

/// Opens a letter again whose event died in a replay, with its new reason.
///
/// # Errors
/// Of the database.
pub(crate) fn died_in(
    tx: &mut Tx<'_>,
    letter_id: &str,
    replay_id: &str,
    (code, fingerprint, reason): (&str, &str, &str),
    attempts: i64,
) -> Result<(), StoreError> {
    tx.execute(DIED_IN, params![letter_id, replay_id, code, fingerprint, reason, attempts]).map(drop)
}

/// Remembers how many failures the consumer had counted before the event was published again.
///
/// # Errors
/// Of the database.
pub(crate) fn set_attempts_known(tx: &mut Tx<'_>, letter_id: &str, attempts: i64) -> Result<(), StoreError> {
    tx.execute(KNOWN, params![letter_id, attempts]).map(drop)
}

/// Makes an edit the one that counts. False when the letter is not open.
///
/// # Errors
/// Of the database.
pub(crate) fn set_edit(tx: &mut Tx<'_>, letter_id: &str, edit_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(EDITED, params![letter_id, edit_id])? == 1)
}

/// Forgets up to `limit` closed letters that died last before `before_ms`, with their deaths, edits and places in replays. Answers how
/// many that were.
///
/// # Errors
/// Of the database.
pub(crate) fn purge(tx: &mut Tx<'_>, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    let old = tx.query(OLD, params![before_ms, limit], |row| row.get_text(0))?;
    for letter_id in &old {
        for forget in [FORGET_ITEMS, FORGET_EDITS, FORGET_DEATHS, FORGET] {
            tx.execute(forget, params![letter_id])?;
        }
    }
    Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
}

fn read(row: &Row<'_>) -> Result<LetterRow, StoreError> {
    Ok(LetterRow {
        letter_id: row.get(0)?,
        consumer: row.get(1)?,
        source: row.get(2)?,
        event_id: row.get(3)?,
        event_type: row.get(4)?,
        order_id: row.get(5)?,
        topic: row.get(6)?,
        state: row.get(7)?,
        code: row.get(8)?,
        fingerprint: row.get(9)?,
        reason: row.get(10)?,
        attempts: row.get(11)?,
        deaths: row.get(12)?,
        occurred_at_ms: row.get(13)?,
        first_died_at_ms: row.get(14)?,
        last_died_at_ms: row.get(15)?,
        replay_id: row.get(16)?,
        edit_id: row.get(17)?,
        attributes: serde_json::from_str(row.get_str(18)?).unwrap_or_default(),
        data: row.get(19)?,
    })
}
