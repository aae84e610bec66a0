//! Which events a consumer has handled: the reason why an event that comes twice has one effect.
//!
//! Claim first, in the transaction that holds the effect: both are committed or neither is. Keep claims longer than
//! anything can come again (dead-letter retention and replay).

use crate::{Row, StoreError, Tx, params};

const CLAIM: &str = "INSERT INTO inbox (consumer, source, id, event_type, subject, handled_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (consumer, source, id) DO NOTHING";
const HANDLED: &str = "SELECT consumer, source, id, event_type, handled_at_ms FROM inbox
    WHERE subject = ?1 ORDER BY seq";
const HANDLED_AT: &str = "SELECT handled_at_ms FROM inbox WHERE consumer = ?1 AND source = ?2 AND id = ?3";
/// Looks at the oldest rows only: the table has no index on the time.
const PURGE: &str = "DELETE FROM inbox
    WHERE seq IN (SELECT seq FROM inbox ORDER BY seq LIMIT ?2) AND handled_at_ms < ?1";

/// An event on its way into a consumer.
#[derive(Debug, Clone, Copy)]
pub struct Receipt<'a> {
    /// The reaction's name, `inventory.commit-stock`. With `source` and `id` it is the key.
    pub consumer: &'a str,
    /// The event's source.
    pub source: &'a str,
    /// The event's id.
    pub id: &'a str,
    /// The event's type.
    pub event_type: &'a str,
    /// What the event is about: `orders/{orderId}`.
    pub subject: &'a str,
}

/// An event that was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// The reaction's name.
    pub consumer: String,
    /// The event's source.
    pub source: String,
    /// The event's id.
    pub id: String,
    /// The event's type.
    pub event_type: String,
    /// When it was claimed. Unix milliseconds.
    pub handled_at_ms: i64,
}

/// Claims an event for its consumer. False: it was handled before, and there is nothing to do.
///
/// # Errors
/// Any [`StoreError`].
pub fn claim(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<bool, StoreError> {
    let Receipt { consumer, source, id, event_type, subject } = *receipt;
    let now_ms = tx.now_ms();
    let claimed = tx.execute(CLAIM, params![consumer, source, id, event_type, subject, now_ms])?;
    Ok(claimed == 1)
}

/// When a consumer handled an event (Unix milliseconds); `None` when it has not, or has forgotten.
///
/// # Errors
/// Any [`StoreError`].
pub fn handled_at_ms(tx: &mut Tx<'_>, consumer: &str, source: &str, id: &str) -> Result<Option<i64>, StoreError> {
    tx.query_opt(HANDLED_AT, params![consumer, source, id], |row| row.get_i64(0))
}

/// What was handled for `subject`, in the order of handling.
///
/// # Errors
/// Any [`StoreError`].
pub fn handled(tx: &mut Tx<'_>, subject: &str) -> Result<Vec<Handled>, StoreError> {
    tx.query(HANDLED, params![subject], |row: &Row<'_>| {
        Ok(Handled {
            consumer: row.get_text(0)?,
            source: row.get_text(1)?,
            id: row.get_text(2)?,
            event_type: row.get_text(3)?,
            handled_at_ms: row.get_i64(4)?,
        })
    })
}

/// Forgets claims made before `before_ms`, looking at the `limit` oldest. Answers how many; call again while it is
/// `limit`.
///
/// # Errors
/// Any [`StoreError`].
pub fn purge(tx: &mut Tx<'_>, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    tx.execute(PURGE, params![before_ms, limit])
}
