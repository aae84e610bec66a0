//! Reports in SQL: a queue. What the engine was told is gone from it.

use store::{StoreError, Tx, params};

use crate::report::Report;
use crate::store::id;

const ADD: &str = "INSERT INTO reports
    (order_id, transaction_type, duration_ms, success, attempts, next_attempt_at_ms, created_at_ms)
    VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5) ON CONFLICT (order_id, transaction_type) DO NOTHING";
const DUE: &str = "SELECT order_id, transaction_type, duration_ms, success, attempts, created_at_ms FROM reports
    WHERE next_attempt_at_ms <= ?1 ORDER BY next_attempt_at_ms LIMIT ?2";
const REMOVE: &str = "DELETE FROM reports WHERE order_id = ?1 AND transaction_type = ?2";
const POSTPONE: &str = "UPDATE reports SET attempts = attempts + 1, next_attempt_at_ms = ?3
    WHERE order_id = ?1 AND transaction_type = ?2";

/// Adds a report, due at once; one that is there already stays as it is.
pub(crate) fn add(tx: &mut Tx<'_>, report: &Report) -> Result<(), StoreError> {
    let Report { order_id, transaction_type, duration_ms, success, .. } = report;
    let now_ms = tx.now_ms();
    tx.execute(ADD, params![order_id.as_str(), transaction_type, *duration_ms, *success, now_ms])?;
    Ok(())
}

/// Reports due at `now_ms`, those that wait longest first.
pub(crate) fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u32) -> Result<Vec<Report>, StoreError> {
    tx.query(DUE, params![now_ms, limit], |row| {
        Ok(Report {
            order_id: id(row, 0)?,
            transaction_type: row.get_text(1)?,
            duration_ms: row.get_i64(2)?,
            success: row.get(3)?,
            attempts: row.get(4)?,
            created_at_ms: row.get_i64(5)?,
        })
    })
}

/// The engine knows.
pub(crate) fn remove(tx: &mut Tx<'_>, report: &Report) -> Result<(), StoreError> {
    tx.execute(REMOVE, params![report.order_id.as_str(), &report.transaction_type])?;
    Ok(())
}

/// The engine could not be told.
pub(crate) fn postpone(tx: &mut Tx<'_>, report: &Report, until_ms: i64) -> Result<(), StoreError> {
    tx.execute(POSTPONE, params![report.order_id.as_str(), &report.transaction_type, until_ms])?;
    Ok(())
}
