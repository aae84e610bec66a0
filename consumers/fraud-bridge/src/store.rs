//! Scorings in SQL.

use events::Timestamp;
use store::{Row, StoreError, Tx, params};

use crate::decide::Verdict;
use crate::scoring::{Question, ScoringView};

const OPEN: &str = "INSERT INTO scorings (order_id, customer_id, amount_minor, line_count, event_id, correlation_id,
    traceparent, status, attempts, next_attempt_at_ms, created_at_ms, shipping_country, billing_country, placed_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 0, ?8, ?8, ?9, ?10, ?11) ON CONFLICT (order_id) DO NOTHING";
const DUE: &str =
    "SELECT order_id, customer_id, amount_minor, line_count, event_id, correlation_id, traceparent, attempts,
    shipping_country, billing_country, COALESCE(placed_at_ms, created_at_ms) FROM scorings
    WHERE status = 'pending' AND next_attempt_at_ms <= ?1 ORDER BY next_attempt_at_ms LIMIT ?2";
const SETTLE: &str = "UPDATE scorings SET status = ?2, risk = ?3, attempts = attempts + 1, last_error = NULL
    WHERE order_id = ?1 AND status = 'pending'";
const POSTPONE: &str = "UPDATE scorings SET attempts = attempts + 1, last_error = ?2, next_attempt_at_ms = ?3
    WHERE order_id = ?1 AND status = 'pending'";
const LIST: &str = "SELECT order_id, customer_id, status, risk, attempts, last_error, next_attempt_at_ms, created_at_ms
    FROM scorings WHERE order_id > ?1 ORDER BY order_id LIMIT ?2";
const LIST_OF: &str =
    "SELECT order_id, customer_id, status, risk, attempts, last_error, next_attempt_at_ms, created_at_ms
    FROM scorings WHERE order_id > ?1 AND status = ?3 ORDER BY order_id LIMIT ?2";

const OLDEST: &str = "SELECT created_at_ms FROM scorings WHERE status = 'pending' ORDER BY created_at_ms LIMIT 1";
const PURGE: &str = "DELETE FROM scorings WHERE order_id IN (SELECT order_id FROM scorings
    WHERE status <> 'pending' AND created_at_ms < ?1 ORDER BY created_at_ms LIMIT ?2)";

/// Opens a scoring, due at once; one that is open already stays as it is.
pub(crate) fn open(tx: &mut Tx<'_>, question: &Question) -> Result<(), StoreError> {
    let Question { order_id, customer_id, amount_minor, line_count, event_id, correlation_id, traceparent, .. } =
        question;
    let now_ms = tx.now_ms();
    let (event_id, correlation_id) = (event_id.as_str(), correlation_id.as_str());
    let (order_id, customer_id) = (order_id.as_str(), customer_id.as_str());
    let values = params![
        order_id,
        customer_id,
        *amount_minor,
        *line_count,
        event_id,
        correlation_id,
        traceparent,
        now_ms,
        &question.shipping_country,
        &question.billing_country,
        question.placed_at_ms,
    ];
    tx.execute(OPEN, values)?;
    Ok(())
}

/// Questions due at `now_ms`, those that wait longest first.
pub(crate) fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u32) -> Result<Vec<Question>, StoreError> {
    tx.query(DUE, params![now_ms, limit], |row| {
        Ok(Question {
            order_id: id(row, 0)?,
            customer_id: id(row, 1)?,
            amount_minor: row.get_i64(2)?,
            line_count: row.get_i64(3)?,
            event_id: id(row, 4)?,
            correlation_id: id(row, 5)?,
            traceparent: row.get_opt_text(6)?,
            attempts: row.get(7)?,
            shipping_country: row.get_opt_text(8)?,
            billing_country: row.get_opt_text(9)?,
            placed_at_ms: row.get_i64(10)?,
        })
    })
}

/// Ends a scoring. False when it has ended before.
pub(crate) fn settle(tx: &mut Tx<'_>, order_id: &str, verdict: Verdict, risk: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(SETTLE, params![order_id, verdict.as_str(), risk])? == 1)
}

/// Notes that a question went unanswered.
pub(crate) fn postpone(tx: &mut Tx<'_>, order_id: &str, error: &str, until_ms: i64) -> Result<(), StoreError> {
    tx.execute(POSTPONE, params![order_id, error, until_ms])?;
    Ok(())
}

/// Since when the order that waits longest for its score does, in milliseconds since the Unix epoch.
pub(crate) fn oldest_waiting_ms(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    tx.query_opt(OLDEST, &[], |row| row.get_i64(0))
}

/// Forgets up to `limit` scorings that were opened before a time and are settled.
pub(crate) fn purge(tx: &mut Tx<'_>, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    tx.execute(PURGE, params![before_ms, limit])
}

/// Scorings after `after` in the order of their orders' ids, all or those of one status.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    status: Option<&str>,
    after: &str,
    limit: u32,
) -> Result<Vec<ScoringView>, StoreError> {
    match status {
        None => tx.query(LIST, params![after, limit], view),
        Some(status) => tx.query(LIST_OF, params![after, limit, status], view),
    }
}

fn view(row: &Row<'_>) -> Result<ScoringView, StoreError> {
    let status = row.get_text(2)?;
    let next_attempt_at = if status == "pending" { Some(time(row, 6)?) } else { None };
    Ok(ScoringView {
        order_id: row.get_text(0)?,
        customer_id: row.get_text(1)?,
        status,
        risk_score: row.get_opt_text(3)?,
        attempts: row.get(4)?,
        last_error: row.get_opt_text(5)?,
        next_attempt_at,
        created_at: time(row, 7)?,
    })
}

fn time(row: &Row<'_>, index: usize) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(row.get_i64(index)?).map_err(|error| StoreError::Row { reason: error.to_string() })
}

pub(crate) fn id<T: std::str::FromStr<Err = events::id::InvalidId>>(
    row: &Row<'_>,
    index: usize,
) -> Result<T, StoreError> {
    row.get_str(index)?.parse().map_err(|error: events::id::InvalidId| StoreError::Row { reason: error.to_string() })
}
