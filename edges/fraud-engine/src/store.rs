//! Scored transactions and their summary in SQL.

use runtime::clock;
use serde_json::value::RawValue;
use store::{Row, StoreError, Tx, params};

use crate::decide::{Score, VELOCITY_WINDOW_MS};
use crate::metric::{MetricView, NewMetric, milliseconds};

/// Rows the summary is spread over, so that transactions side by side seldom wait for the same one.
pub(crate) const SUMMARY_SLOTS: i64 = 16;

const RECENT: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM metrics
    WHERE customer_id = ?1 AND at_ms >= ?2 AND at_ms <= ?3 AND order_id IS NOT NULL LIMIT ?4) AS recent";
const RECENT_AT_ADDRESS: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM metrics
    WHERE address_hash = ?1 AND at_ms >= ?2 AND at_ms <= ?3 AND customer_id <> ?4 AND order_id IS NOT NULL
    LIMIT ?5) AS recent";
const ADD: &str = "INSERT INTO metrics (transaction_type, duration_us, success, order_id, customer_id, amount_minor,
    line_count, at_ms, risk, points, reasons, address_hash, outcome_of)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING";
const COUNT: &str = "INSERT INTO summary (slot, total, successes, duration_us) VALUES (?1, 1, ?2, ?3)
    ON CONFLICT (slot) DO UPDATE SET total = summary.total + 1, successes = summary.successes + excluded.successes,
    duration_us = summary.duration_us + excluded.duration_us";
const OF_ORDER: &str = "SELECT seq, transaction_type, duration_us, success, at_ms, risk, points, reasons, order_id
    FROM metrics WHERE order_id = ?1";
const OF_ENDING: &str = "SELECT seq, transaction_type, duration_us, success, at_ms, risk, points, reasons, outcome_of
    FROM metrics WHERE outcome_of = ?1 AND transaction_type = ?2";
const CUSTOMER_OF_ORDER: &str = "SELECT customer_id FROM metrics WHERE order_id = ?1";
const LATEST: &str = "SELECT seq, transaction_type, duration_us, success, at_ms, risk, points, reasons,
    COALESCE(order_id, outcome_of) FROM metrics WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
const SUMMARY: &str = "SELECT COALESCE(SUM(total), 0), COALESCE(SUM(successes), 0), COALESCE(SUM(duration_us), 0)
    FROM summary";

/// All transactions in four numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) total: i64,
    pub(crate) successes: i64,
    pub(crate) duration_us: i64,
}

/// The velocity windows that end and begin at a time, from and to, both included. Orders of an outage are told in any order: what came
/// after one of them is as much a part of its ten minutes as what came before.
fn windows(at_ms: i64) -> [(i64, i64); 2] {
    [(at_ms - VELOCITY_WINDOW_MS + 1, at_ms), (at_ms, at_ms + VELOCITY_WINDOW_MS - 1)]
}

/// Orders of a customer in the fuller of the velocity windows at a time, counted up to `most`.
pub(crate) fn recent_orders(tx: &mut Tx<'_>, customer_id: &str, at_ms: i64, most: u32) -> Result<u32, StoreError> {
    let mut recent = 0;
    for (from_ms, to_ms) in windows(at_ms) {
        let values = params![customer_id, from_ms, to_ms, most];
        recent = recent.max(tx.query_opt(RECENT, values, |row| row.get(0))?.unwrap_or(0));
    }
    Ok(recent)
}

/// Orders of other customers to an address in the fuller of the velocity windows at a time, counted up to `most`.
pub(crate) fn recent_at_address(
    tx: &mut Tx<'_>,
    address_hash: &str,
    customer_id: &str,
    at_ms: i64,
    most: u32,
) -> Result<u32, StoreError> {
    let mut recent = 0;
    for (from_ms, to_ms) in windows(at_ms) {
        let values = params![address_hash, from_ms, to_ms, customer_id, most];
        recent = recent.max(tx.query_opt(RECENT_AT_ADDRESS, values, |row| row.get(0))?.unwrap_or(0));
    }
    Ok(recent)
}

/// Keeps a transaction that happened at `at_ms`, and counts it. `None` when its order was scored before, or this end of it was told before.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    new: &NewMetric,
    at_ms: i64,
    score: &Score,
) -> Result<Option<MetricView>, StoreError> {
    let slot = tx.now_ms().rem_euclid(SUMMARY_SLOTS);
    let reasons = serde_json::to_string(&score.reasons).expect("a list of strings is always JSON");
    let order_id = new.order_id.as_ref().map(events::OrderId::as_str);
    // An order is scored once and ends once: its end is a row beside its score.
    let (scored, ended) = if new.ending().is_some() { (None, order_id) } else { (order_id, None) };
    let customer_id = new.customer_id.as_ref().map(events::CustomerId::as_str);
    let values = params![
        &new.transaction_type,
        new.duration_us(),
        new.success,
        scored,
        customer_id,
        new.amount_minor,
        new.line_count,
        at_ms,
        score.level.as_str(),
        score.points,
        &reasons,
        &new.address_hash,
        ended,
    ];
    if tx.execute(ADD, values)? == 0 {
        return Ok(None);
    }
    tx.execute(COUNT, params![slot, new.success, new.duration_us()])?;
    Ok(Some(MetricView {
        seq: 0,
        transaction_type: new.transaction_type.clone(),
        duration_ms: milliseconds(new.duration_us()),
        success: new.success,
        timestamp: clock::from_ms(at_ms),
        risk_score: score.level.as_str().to_owned(),
        risk_points: i64::from(score.points),
        reasons: raw(reasons)?,
        order_id: order_id.map(ToOwned::to_owned),
    }))
}

/// The transaction of an order.
pub(crate) fn of_order(tx: &mut Tx<'_>, order_id: &str) -> Result<Option<MetricView>, StoreError> {
    tx.query_opt(OF_ORDER, params![order_id], read)
}

/// What was told of an order's end.
pub(crate) fn of_ending(tx: &mut Tx<'_>, order_id: &str, kind: &str) -> Result<Option<MetricView>, StoreError> {
    tx.query_opt(OF_ENDING, params![order_id, kind], read)
}

/// Whose order was scored, if it was.
pub(crate) fn customer_of(tx: &mut Tx<'_>, order_id: &str) -> Result<Option<String>, StoreError> {
    Ok(tx.query_opt(CUSTOMER_OF_ORDER, params![order_id], |row| row.get_opt_text(0))?.flatten())
}

/// Transactions before place `before`, newest first.
pub(crate) fn latest(tx: &mut Tx<'_>, before: i64, limit: u32) -> Result<Vec<MetricView>, StoreError> {
    tx.query(LATEST, params![before, limit], read)
}

/// The summary.
pub(crate) fn summary(tx: &mut Tx<'_>) -> Result<Summary, StoreError> {
    let found = tx.query_opt(SUMMARY, &[], |row| {
        Ok(Summary { total: row.get_i64(0)?, successes: row.get_i64(1)?, duration_us: row.get_i64(2)? })
    })?;
    Ok(found.unwrap_or_default())
}

fn read(row: &Row<'_>) -> Result<MetricView, StoreError> {
    Ok(MetricView {
        seq: row.get_i64(0)?,
        transaction_type: row.get_text(1)?,
        duration_ms: milliseconds(row.get_i64(2)?),
        success: row.get(3)?,
        timestamp: clock::from_ms(row.get_i64(4)?),
        risk_score: row.get_text(5)?,
        risk_points: row.get_i64(6)?,
        reasons: raw(row.get_text(7)?)?,
        order_id: row.get_opt_text(8)?,
    })
}

fn raw(json: String) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(json).map_err(|error| StoreError::Row { reason: format!("reasons are no JSON: {error}") })
}
