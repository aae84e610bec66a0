//! The messages of a replay, each with where it stands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use store::{Row, StoreError, Tx, params};

const ADD: &str =
    "INSERT INTO replay_items (replay_id, position, letter_id, edit_id, state, step, attempts_before, published_at_ms,
        settled_at_ms, code, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, ?6, ?7)";
const COUNTS: &str = "SELECT state, COUNT(*) FROM replay_items WHERE replay_id = ?1 GROUP BY state";
const STEP_COUNTS: &str = "SELECT state, COUNT(*) FROM replay_items WHERE replay_id = ?1 AND step = ?2
    AND state IN ('waiting', 'published', 'handled', 'failed') GROUP BY state";
const ASSIGN: &str = "UPDATE replay_items SET step = ?2 WHERE replay_id = ?1 AND position IN
    (SELECT position FROM replay_items WHERE replay_id = ?1 AND state = 'waiting' AND step = 0 ORDER BY position LIMIT ?3)";
const UNASSIGN: &str = "UPDATE replay_items SET step = 0 WHERE replay_id = ?1 AND state = 'waiting'";
const READY: &str = "SELECT i.position, i.letter_id, i.edit_id, l.source, l.event_id, l.topic, l.attributes,
        CASE WHEN i.edit_id = '' THEN l.data ELSE e.data END
    FROM replay_items i JOIN letters l ON l.letter_id = i.letter_id LEFT JOIN edits e ON e.edit_id = i.edit_id
    WHERE i.replay_id = ?1 AND i.state = 'waiting' AND i.step = ?2 AND l.state = 'replaying' AND l.replay_id = ?1
        AND l.occurred_at_ms >= ?3
    ORDER BY i.position LIMIT ?4";
/// Of the next waiting items of a step, those that must not be published: their letters are not the replay's any more, or too old. No
/// more than the next are looked at, so that a long step is not read anew with every batch.
const UNFIT: &str = "SELECT i.position, i.letter_id, COALESCE(l.state, ''), COALESCE(l.replay_id, '')
    FROM (SELECT position, letter_id FROM replay_items
            WHERE replay_id = ?1 AND state = 'waiting' AND step = ?2 ORDER BY position LIMIT ?4) i
        LEFT JOIN letters l ON l.letter_id = i.letter_id
    WHERE l.letter_id IS NULL OR l.state <> 'replaying' OR l.replay_id <> ?1 OR l.occurred_at_ms < ?3
    ORDER BY i.position";
const OUT: &str = "SELECT i.position, i.letter_id, l.source, l.event_id, i.attempts_before, i.published_at_ms
    FROM replay_items i JOIN letters l ON l.letter_id = i.letter_id
    WHERE i.replay_id = ?1 AND i.state = 'published' ORDER BY i.step, i.position LIMIT ?2";
/// Messages that Pub/Sub's own policy gave up on since they were published.
const GIVEN_UP: &str = "SELECT i.position, d.code, d.reason
    FROM replay_items i JOIN deaths d ON d.letter_id = i.letter_id
    WHERE i.replay_id = ?1 AND i.state = 'published' AND d.kind = 'pubsub' AND d.replay_id = ?1
        AND d.kept_at_ms >= i.published_at_ms";
const PUBLISHED: &str = "UPDATE replay_items SET state = 'published', attempts_before = ?3, published_at_ms = ?4
    WHERE replay_id = ?1 AND position = ?2 AND state = 'waiting'";
const SETTLE: &str = "UPDATE replay_items SET state = ?3, code = ?4, reason = ?5, settled_at_ms = ?6
    WHERE replay_id = ?1 AND position = ?2 AND state IN ('waiting', 'published')";
const IN_STATE: &str = "SELECT position, letter_id, state, code, reason FROM replay_items
    WHERE replay_id = ?1 AND state = ?2 AND position > ?3 ORDER BY position LIMIT ?4";
const AGAIN: &str = "UPDATE replay_items SET state = 'waiting', step = 0, code = '', reason = '', edit_id = ?3
    WHERE replay_id = ?1 AND position = ?2 AND state = 'failed'";
/// A cancel was faster than the mark of a publish.
const PUBLISHED_LATE: &str = "UPDATE replay_items
    SET state = 'published', attempts_before = ?3, published_at_ms = ?4, settled_at_ms = 0, code = '', reason = ''
    WHERE replay_id = ?1 AND position = ?2 AND state = 'skipped'
        AND EXISTS (SELECT 1 FROM replays WHERE replays.replay_id = ?1 AND replays.state = 'cancelled')";
const LOST: &str = "SELECT position, letter_id FROM replay_items
    WHERE replay_id = ?1 AND state = 'published' AND published_at_ms <= ?2 ORDER BY position";
const LOST_AGAIN: &str = "UPDATE replay_items SET state = 'waiting', step = 0
    WHERE replay_id = ?1 AND state = 'published' AND published_at_ms <= ?2";
const EDIT_OF: &str = "SELECT edit_id FROM replay_items WHERE replay_id = ?1 AND position = ?2";
const EXPLAIN: &str = "UPDATE replay_items SET reason = ?3 WHERE replay_id = ?1 AND position = ?2 AND state = 'failed'";

/// A message that may be published.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub(crate) position: i64,
    pub(crate) letter_id: String,
    pub(crate) edit_id: String,
    pub(crate) source: String,
    pub(crate) event_id: String,
    pub(crate) topic: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) data: String,
}

/// An item that waits and must not be published.
#[derive(Debug, Clone)]
pub(crate) struct Unfit {
    pub(crate) position: i64,
    pub(crate) letter_id: String,
    /// State of its letter; empty when it is gone.
    pub(crate) letter_state: String,
    /// Which replay has the letter, or had it last.
    pub(crate) replay_id: String,
}

/// A message that is out.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) position: i64,
    pub(crate) letter_id: String,
    pub(crate) source: String,
    pub(crate) event_id: String,
    pub(crate) attempts_before: i64,
    pub(crate) published_at_ms: i64,
}

/// A message that Pub/Sub gave up on.
#[derive(Debug, Clone)]
pub(crate) struct GivenUp {
    pub(crate) position: i64,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// An item as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemRow {
    pub(crate) position: i64,
    pub(crate) letter_id: String,
    pub(crate) state: String,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// How many items are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub(crate) struct Counts {
    pub(crate) waiting: u32,
    pub(crate) published: u32,
    pub(crate) handled: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

/// Adds an item, `waiting` or `skipped`.
///
/// # Errors
/// Of the database.
pub(crate) fn add(tx: &mut Tx<'_>, replay_id: &str, item: &ItemRow, edit_id: &str) -> Result<(), StoreError> {
    let values = params![replay_id, item.position, &item.letter_id, edit_id, &item.state, &item.code, &item.reason];
    tx.execute(ADD, values).map(drop)
}

/// Items of a replay by state.
///
/// # Errors
/// Of the database.
pub(crate) fn counts(tx: &mut Tx<'_>, replay_id: &str) -> Result<Counts, StoreError> {
    let found = tx.query(COUNTS, params![replay_id], |row| Ok((row.get_text(0)?, row.get(1)?)))?;
    Ok(Counts::of(found))
}

/// Items of one step by state.
///
/// # Errors
/// Of the database.
pub(crate) fn step_counts(tx: &mut Tx<'_>, replay_id: &str, step: i64) -> Result<Counts, StoreError> {
    let found = tx.query(STEP_COUNTS, params![replay_id, step], |row| Ok((row.get_text(0)?, row.get(1)?)))?;
    Ok(Counts::of(found))
}

/// Gives the next `size` waiting items to a step.
///
/// # Errors
/// Of the database.
pub(crate) fn assign(tx: &mut Tx<'_>, replay_id: &str, step: i64, size: u32) -> Result<(), StoreError> {
    tx.execute(ASSIGN, params![replay_id, step, size]).map(drop)
}

/// Takes every waiting item out of its step.
///
/// # Errors
/// Of the database.
pub(crate) fn unassign(tx: &mut Tx<'_>, replay_id: &str) -> Result<(), StoreError> {
    tx.execute(UNASSIGN, params![replay_id]).map(drop)
}

/// Up to `limit` items of a step that wait to be published, whose letters the replay still has and whose events happened at
/// `horizon_ms` or later.
///
/// # Errors
/// Of the database.
pub(crate) fn ready(
    tx: &mut Tx<'_>,
    (replay_id, step): (&str, i64),
    horizon_ms: i64,
    limit: u32,
) -> Result<Vec<Ready>, StoreError> {
    tx.query(READY, params![replay_id, step, horizon_ms, limit], |row: &Row<'_>| {
        Ok(Ready {
            position: row.get(0)?,
            letter_id: row.get(1)?,
            edit_id: row.get(2)?,
            source: row.get(3)?,
            event_id: row.get(4)?,
            topic: row.get(5)?,
            attributes: serde_json::from_str(row.get_str(6)?).unwrap_or_default(),
            data: row.get(7)?,
        })
    })
}

/// Of the next `limit` items of a step that wait, those that are not [`ready`].
///
/// # Errors
/// Of the database.
pub(crate) fn unfit(
    tx: &mut Tx<'_>,
    (replay_id, step): (&str, i64),
    horizon_ms: i64,
    limit: u32,
) -> Result<Vec<Unfit>, StoreError> {
    tx.query(UNFIT, params![replay_id, step, horizon_ms, limit], |row: &Row<'_>| {
        Ok(Unfit { position: row.get(0)?, letter_id: row.get(1)?, letter_state: row.get(2)?, replay_id: row.get(3)? })
    })
}

/// Up to `limit` items that are out, oldest step first.
///
/// # Errors
/// Of the database.
pub(crate) fn out(tx: &mut Tx<'_>, replay_id: &str, limit: u32) -> Result<Vec<Out>, StoreError> {
    tx.query(OUT, params![replay_id, limit], |row: &Row<'_>| {
        Ok(Out {
            position: row.get(0)?,
            letter_id: row.get(1)?,
            source: row.get(2)?,
            event_id: row.get(3)?,
            attempts_before: row.get(4)?,
            published_at_ms: row.get(5)?,
        })
    })
}

/// Items that are out and that Pub/Sub's own policy put back among the dead letters.
///
/// # Errors
/// Of the database.
pub(crate) fn given_up(tx: &mut Tx<'_>, replay_id: &str) -> Result<Vec<GivenUp>, StoreError> {
    tx.query(GIVEN_UP, params![replay_id], |row: &Row<'_>| {
        Ok(GivenUp { position: row.get(0)?, code: row.get(1)?, reason: row.get(2)? })
    })
}

/// Notes that Pub/Sub has an item. False when the item does not wait any more.
///
/// # Errors
/// Of the database.
pub(crate) fn published(
    tx: &mut Tx<'_>,
    replay_id: &str,
    position: i64,
    attempts_before: i64,
) -> Result<bool, StoreError> {
    let now_ms = tx.now_ms();
    Ok(tx.execute(PUBLISHED, params![replay_id, position, attempts_before, now_ms])? == 1)
}

/// Notes that Pub/Sub has an item which a cancel skipped while it was published. False when that is not how it was.
///
/// # Errors
/// Of the database.
pub(crate) fn published_late(
    tx: &mut Tx<'_>,
    replay_id: &str,
    position: i64,
    attempts_before: i64,
) -> Result<bool, StoreError> {
    let now_ms = tx.now_ms();
    Ok(tx.execute(PUBLISHED_LATE, params![replay_id, position, attempts_before, now_ms])? == 1)
}

/// Position and letter of every item that has been out since `before_ms` or longer.
///
/// # Errors
/// Of the database.
pub(crate) fn lost(tx: &mut Tx<'_>, replay_id: &str, before_ms: i64) -> Result<Vec<(i64, String)>, StoreError> {
    tx.query(LOST, params![replay_id, before_ms], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Lets every item wait once more that has been out since `before_ms` or longer.
///
/// # Errors
/// Of the database.
pub(crate) fn lost_again(tx: &mut Tx<'_>, replay_id: &str, before_ms: i64) -> Result<(), StoreError> {
    tx.execute(LOST_AGAIN, params![replay_id, before_ms]).map(drop)
}

/// The edit an item is published with; empty for none.
///
/// # Errors
/// Of the database.
pub(crate) fn edit_of(tx: &mut Tx<'_>, replay_id: &str, position: i64) -> Result<String, StoreError> {
    Ok(tx.query_opt(EDIT_OF, params![replay_id, position], |row| row.get_text(0))?.unwrap_or_default())
}

/// Says why a failed item is not tried again.
///
/// # Errors
/// Of the database.
pub(crate) fn explain(tx: &mut Tx<'_>, replay_id: &str, position: i64, reason: &str) -> Result<(), StoreError> {
    tx.execute(EXPLAIN, params![replay_id, position, reason]).map(drop)
}

/// Ends an item that waited or was out: `handled`, `failed` or `skipped`.
///
/// # Errors
/// Of the database.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    replay_id: &str,
    position: i64,
    state: &str,
    (code, reason): (&str, &str),
) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(SETTLE, params![replay_id, position, state, code, reason, now_ms]).map(drop)
}

/// Up to `limit` items in a state after position `after` (-1 for the first).
///
/// # Errors
/// Of the database.
pub(crate) fn in_state(
    tx: &mut Tx<'_>,
    replay_id: &str,
    state: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<ItemRow>, StoreError> {
    tx.query(IN_STATE, params![replay_id, state, after, limit], |row: &Row<'_>| {
        Ok(ItemRow {
            position: row.get(0)?,
            letter_id: row.get(1)?,
            state: row.get(2)?,
            code: row.get(3)?,
            reason: row.get(4)?,
        })
    })
}

/// Lets a failed item wait once more, to be published with this edit.
///
/// # Errors
/// Of the database.
pub(crate) fn again(tx: &mut Tx<'_>, replay_id: &str, position: i64, edit_id: &str) -> Result<(), StoreError> {
    tx.execute(AGAIN, params![replay_id, position, edit_id]).map(drop)
}

impl Counts {
    fn of(found: Vec<(String, u32)>) -> Self {
        let mut counts = Self::default();
        for (state, count) in found {
            match state.as_str() {
                "waiting" => counts.waiting = count,
                "published" => counts.published = count,
                "handled" => counts.handled = count,
                "failed" => counts.failed = count,
                _ => counts.skipped = count,
            }
        }
        counts
    }

    /// All but the skipped.
    pub(crate) fn size(self) -> u32 {
        self.waiting + self.published + self.handled + self.failed
    }
}
