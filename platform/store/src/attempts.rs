//! Why a delivery failed, kept outside the transaction that was rolled back: for people, and for the count that goes
//! with a dead letter.

use crate::{Row, StoreError, Tx, params};

/// A reason is cut to this many bytes: it may quote a payload.
const MAX_REASON_BYTES: usize = 2_000;

const RECORD: &str = "INSERT INTO attempts
        (consumer, event_id, number, event_type, kind, code, fingerprint, reason, at_ms, subject)
    SELECT ?1, ?2, COALESCE(MAX(number), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9
    FROM attempts WHERE consumer = ?1 AND event_id = ?2
    RETURNING number";
const OF_EVENT: &str =
    "SELECT seq, consumer, number, event_type, kind, code, fingerprint, reason, at_ms, event_id, subject
    FROM attempts WHERE consumer = ?1 AND event_id = ?2 AND seq > ?3 ORDER BY number LIMIT ?4";
const OF_SUBJECT: &str =
    "SELECT seq, consumer, number, event_type, kind, code, fingerprint, reason, at_ms, event_id, subject
    FROM attempts WHERE subject = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
const LAST: &str = "SELECT seq, consumer, number, event_type, kind, code, fingerprint, reason, at_ms, event_id, subject
    FROM attempts WHERE consumer = ?1 AND event_id = ?2 ORDER BY number DESC LIMIT 1";
const COUNT: &str = "SELECT COALESCE(MAX(number), 0) FROM attempts WHERE consumer = ?1 AND event_id = ?2";
/// Looks at the oldest rows only: the table has no index on the time.
const PURGE: &str = "DELETE FROM attempts
    WHERE seq IN (SELECT seq FROM attempts ORDER BY seq LIMIT ?2) AND at_ms < ?1";

/// A delivery that failed.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The reaction's name.
    pub consumer: &'a str,
    /// The event's id.
    pub event_id: &'a str,
    /// The event's type.
    pub event_type: &'a str,
    /// `transient` (it comes again) or `permanent` (it went to the dead letters).
    pub kind: &'a str,
    /// The stable code of the failure.
    pub code: &'a str,
    /// Equal for failures with one cause.
    pub fingerprint: &'a str,
    /// What happened, for people. Cut to 2,000 bytes.
    pub reason: &'a str,
    /// What the event was about: `orders/{orderId}`.
    pub subject: &'a str,
    /// When. Unix milliseconds.
    pub at_ms: i64,
}

/// A failed delivery as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place among all failures here, ascending.
    pub seq: i64,
    /// The reaction's name.
    pub consumer: String,
    /// Its place among the failures of this event here. 1 or more.
    pub number: u32,
    /// The event's type.
    pub event_type: String,
    /// `transient` or `permanent`.
    pub kind: String,
    /// The stable code of the failure.
    pub code: String,
    /// Equal for failures with one cause.
    pub fingerprint: String,
    /// What happened, for people.
    pub reason: String,
    /// When. Unix milliseconds.
    pub at_ms: i64,
    /// The event's id.
    pub event_id: String,
    /// What the event was about; empty for failures recorded before this was kept.
    pub subject: String,
}

/// Records a failure and answers its number for this consumer and event. 1 or more.
///
/// # Errors
/// [`StoreError::Constraint`] for another `kind`; any other [`StoreError`].
pub fn record(tx: &mut Tx<'_>, attempt: &Attempt<'_>) -> Result<u32, StoreError> {
    let Attempt { consumer, event_id, event_type, kind, code, fingerprint, reason, subject, at_ms } = *attempt;
    // Two deliveries that fail side by side count one after the other.
    tx.lock(event_id)?;
    let reason = cut(reason, MAX_REASON_BYTES);
    let values = params![consumer, event_id, event_type, kind, code, fingerprint, reason, at_ms, subject];
    let number = tx.query_opt(RECORD, values, |row| row.get(0))?;
    number.ok_or_else(|| StoreError::Row { reason: "the attempt was not recorded".to_owned() })
}

/// Up to `limit` failures of one event at one consumer after place `after_seq` (0 for the first), first to last.
///
/// # Errors
/// Any [`StoreError`].
pub fn of_event(
    tx: &mut Tx<'_>,
    consumer: &str,
    event_id: &str,
    after_seq: i64,
    limit: u32,
) -> Result<Vec<Recorded>, StoreError> {
    tx.query(OF_EVENT, params![consumer, event_id, after_seq, limit], read_row)
}

/// Up to `limit` failures of events about `subject` after place `after_seq` (0 for the first), in the order they happened.
///
/// # Errors
/// Any [`StoreError`].
pub fn of_subject(tx: &mut Tx<'_>, subject: &str, after_seq: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
    tx.query(OF_SUBJECT, params![subject, after_seq, limit], read_row)
}

/// The newest failure of one event at one consumer.
///
/// # Errors
/// Any [`StoreError`].
pub fn last(tx: &mut Tx<'_>, consumer: &str, event_id: &str) -> Result<Option<Recorded>, StoreError> {
    tx.query_opt(LAST, params![consumer, event_id], read_row)
}

fn read_row(row: &Row<'_>) -> Result<Recorded, StoreError> {
    Ok(Recorded {
        seq: row.get_i64(0)?,
        consumer: row.get_text(1)?,
        number: row.get(2)?,
        event_type: row.get_text(3)?,
        kind: row.get_text(4)?,
        code: row.get_text(5)?,
        fingerprint: row.get_text(6)?,
        reason: row.get_text(7)?,
        at_ms: row.get_i64(8)?,
        event_id: row.get_text(9)?,
        subject: row.get_text(10)?,
    })
}

/// How often one event failed at one consumer.
///
/// # Errors
/// Any [`StoreError`].
pub fn count(tx: &mut Tx<'_>, consumer: &str, event_id: &str) -> Result<u32, StoreError> {
    tx.query_opt(COUNT, params![consumer, event_id], |row| row.get(0)).map(Option::unwrap_or_default)
}

/// Forgets failures before `before_ms`, looking at the `limit` oldest. Answers how many; call again while it is
/// `limit`.
///
/// # Errors
/// Any [`StoreError`].
pub fn purge(tx: &mut Tx<'_>, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    tx.execute(PURGE, params![before_ms, limit])
}

/// At most `most` bytes of `text`, cut between characters.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
