//! What is to be published, written in the transaction that made it true.
//!
//! Rows are read after their commit, published, and marked. On SQLite `seq` is the order of commits. On PostgreSQL
//! transactions run side by side and a lower `seq` can appear after a higher one was read: `after_seq` pages through
//! one sweep and is no place to go on from later. Rows of one key are in order on both when every job that pushes for
//! the key holds its lock ([`Tx::lock`]).

use crate::{Param, Row, StoreError, Tx, params};

const PUSH: &str = "INSERT INTO outbox (topic, key, attributes, data, event_id, event_type, subject, created_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PUSH_RETURNING: &str =
    "INSERT INTO outbox (topic, key, attributes, data, event_id, event_type, subject, created_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING seq";
const UNSENT: &str =
    "SELECT seq, topic, key, attributes, data, event_id, event_type, subject, created_at_ms, sent_at_ms
    FROM outbox WHERE sent_at_ms IS NULL AND seq > ?1 ORDER BY seq LIMIT ?2";
const SAID: &str = "SELECT seq, topic, key, attributes, data, event_id, event_type, subject, created_at_ms, sent_at_ms
    FROM outbox WHERE subject = ?1 ORDER BY seq";
const OLDEST_UNSENT: &str = "SELECT created_at_ms FROM outbox WHERE sent_at_ms IS NULL ORDER BY seq LIMIT 1";
const COUNT_UNSENT: &str = "SELECT COUNT(*) FROM outbox WHERE sent_at_ms IS NULL";
const MARK_ONE: &str = "UPDATE outbox SET sent_at_ms = ?1 WHERE seq = ?2 AND sent_at_ms IS NULL";
const MARK_MANY: &str = "UPDATE outbox SET sent_at_ms = ?1 WHERE sent_at_ms IS NULL
    AND seq IN (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
/// The keys in [`MARK_MANY`].
const MARK_BATCH: usize = 16;
/// Looks at the oldest sent rows only, and keeps the newest row of all so that its `seq` is not used again.
const PURGE: &str = "DELETE FROM outbox
    WHERE seq IN (SELECT seq FROM outbox WHERE sent_at_ms IS NOT NULL ORDER BY seq LIMIT ?2)
    AND sent_at_ms < ?1 AND seq < (SELECT MAX(seq) FROM outbox)";

/// A message to be.
#[derive(Debug, Clone, Copy)]
pub struct NewRow<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The ordering key: the order id. Empty for none.
    pub key: &'a str,
    /// The message's attributes as the text of a JSON object of strings.
    pub attributes: &'a str,
    /// The message's data.
    pub data: &'a str,
    /// The event's id. Unique in the outbox: said twice is [`StoreError::Constraint`].
    pub event_id: &'a str,
    /// The event's type.
    pub event_type: &'a str,
    /// What the event is about: `orders/{orderId}`.
    pub subject: &'a str,
}

/// A message as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its place: ascending, never used twice, with gaps on PostgreSQL.
    pub seq: i64,
    /// The topic's name.
    pub topic: String,
    /// The ordering key; empty for none.
    pub key: String,
    /// The message's attributes as the text of a JSON object of strings.
    pub attributes: String,
    /// The message's data.
    pub data: String,
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// What the event is about.
    pub subject: String,
    /// When it was pushed. Unix milliseconds.
    pub created_at_ms: i64,
    /// When it was published. Unix milliseconds; `None` while it is not.
    pub sent_at_ms: Option<i64>,
}

/// Adds a message and answers its place.
///
/// # Errors
/// [`StoreError::Constraint`] when the event's id is there already; any other [`StoreError`].
pub fn push(tx: &mut Tx<'_>, row: &NewRow<'_>) -> Result<i64, StoreError> {
    let NewRow { topic, key, attributes, data, event_id, event_type, subject } = *row;
    let now_ms = tx.now_ms();
    let values = params![topic, key, attributes, data, event_id, event_type, subject, now_ms];
    tx.insert(PUSH, PUSH_RETURNING, values)
}

/// Up to `limit` messages not yet published after place `after_seq` (0 for the first), in order.
///
/// # Errors
/// Any [`StoreError`].
pub fn unsent(tx: &mut Tx<'_>, after_seq: i64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(UNSENT, params![after_seq, limit], read_row)
}

/// Notes that these messages were published, at the transaction's time. Those marked before keep their time.
///
/// # Errors
/// Any [`StoreError`].
pub fn mark_sent(tx: &mut Tx<'_>, seqs: &[i64]) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    for batch in seqs.chunks(MARK_BATCH) {
        if let [seq] = batch {
            tx.execute(MARK_ONE, params![now_ms, *seq])?;
        } else if let Some(last) = batch.last() {
            // Short of a full batch the last is named again, so that one statement serves every length.
            let mut values = [Param::Int(*last); MARK_BATCH + 1];
            values[0] = Param::Int(now_ms);
            values[1..].iter_mut().zip(batch).for_each(|(value, seq)| *value = Param::Int(*seq));
            tx.execute(MARK_MANY, &values)?;
        }
    }
    Ok(())
}

/// When the message that waits longest was pushed (Unix milliseconds), or `None` when none waits.
///
/// # Errors
/// Any [`StoreError`].
pub fn oldest_unsent_ms(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    tx.query_opt(OLDEST_UNSENT, &[], |row| row.get_i64(0))
}

/// How many messages wait.
///
/// # Errors
/// Any [`StoreError`].
pub fn unsent_count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_opt(COUNT_UNSENT, &[], |row| row.get_i64(0)).map(Option::unwrap_or_default)
}

/// Everything said about `subject`, in order, published or not.
///
/// # Errors
/// Any [`StoreError`].
pub fn said(tx: &mut Tx<'_>, subject: &str) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(SAID, params![subject], read_row)
}

/// Forgets messages published before `before_ms`, looking at the `limit` oldest published. Answers how many; call
/// again while it is `limit`.
///
/// # Errors
/// Any [`StoreError`].
pub fn purge_sent(tx: &mut Tx<'_>, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    tx.execute(PURGE, params![before_ms, limit])
}

fn read_row(row: &Row<'_>) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        seq: row.get_i64(0)?,
        topic: row.get_text(1)?,
        key: row.get_text(2)?,
        attributes: row.get_text(3)?,
        data: row.get_text(4)?,
        event_id: row.get_text(5)?,
        event_type: row.get_text(6)?,
        subject: row.get_text(7)?,
        created_at_ms: row.get_i64(8)?,
        sent_at_ms: row.get_opt_i64(9)?,
    })
}
