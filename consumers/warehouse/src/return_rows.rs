//! The table of returns.

use events::fulfillment::InspectedLine;
use events::{EventId, OrderId, ReturnId};
use store::{Row, StoreError, Tx, params};

use crate::returns::{Return, Status};
use crate::rows::{from_json, id, story, to_json, unreadable};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT return_id, order_id, status, lines, inspection, requested_at_ms, cause_id, correlation_id, traceparent
            FROM returns ",
            $rest
        )
    };
}

const EXPECT: &str = "INSERT INTO returns (return_id, order_id, status, lines, requested_at_ms, cause_id,
    correlation_id, traceparent) VALUES (?1, ?2, 'expected', ?3, ?4, ?5, ?6, ?7) ON CONFLICT (return_id) DO NOTHING";
const CLOSE: &str = "UPDATE returns SET status = ?3, inspection = ?4, closed_at_ms = ?5
    WHERE return_id = ?1 AND status = ?2";
const ONE: &str = select!("WHERE return_id = ?1");
const OF_ORDER: &str = select!("WHERE order_id = ?1 ORDER BY return_id LIMIT ?2");
const EXPECTED: &str = select!("WHERE status = 'expected' AND requested_at_ms <= ?1 ORDER BY requested_at_ms LIMIT ?2");

/// Writes down a return to come. False: there is one of this id, which stays as it is.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn expect(tx: &mut Tx<'_>, expected: &Return) -> Result<bool, StoreError> {
    let Return { return_id, order_id, lines, requested_at_ms, story, .. } = expected;
    let lines = to_json(lines);
    let values = params![
        return_id.as_str(),
        order_id.as_str(),
        &lines,
        *requested_at_ms,
        story.cause_id.as_ref().map(EventId::as_str),
        story.correlation_id.as_ref().map(EventId::as_str),
        &story.traceparent,
    ];
    Ok(tx.execute(EXPECT, values)? == 1)
}

/// Writes down how a return ended, if it still stands at `before`. False: somebody was faster.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn close(
    tx: &mut Tx<'_>,
    return_id: &ReturnId,
    before: Status,
    to: Status,
    inspection: &[InspectedLine],
) -> Result<bool, StoreError> {
    let (now_ms, inspection) = (tx.now_ms(), to_json(inspection));
    Ok(tx.execute(CLOSE, params![return_id.as_str(), before.as_str(), to.as_str(), &inspection, now_ms])? == 1)
}

/// One return.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn one(tx: &mut Tx<'_>, return_id: &ReturnId) -> Result<Option<Return>, StoreError> {
    tx.query_opt(ONE, params![return_id.as_str()], read)
}

/// Up to `limit` returns of an order, by id.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn of_order(tx: &mut Tx<'_>, order_id: &OrderId, limit: u32) -> Result<Vec<Return>, StoreError> {
    tx.query(OF_ORDER, params![order_id.as_str(), limit], read)
}

/// Up to `limit` returns still expected that were asked for at `requested_by_ms` or before, the oldest first.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn expected(tx: &mut Tx<'_>, requested_by_ms: i64, limit: u32) -> Result<Vec<Return>, StoreError> {
    tx.query(EXPECTED, params![requested_by_ms, limit], read)
}

fn read(row: &Row<'_>) -> Result<Return, StoreError> {
    let status = row.get_str(2)?;
    Ok(Return {
        return_id: id(row.get_text(0)?)?,
        order_id: id(row.get_text(1)?)?,
        status: Status::named(status).ok_or_else(|| unreadable(&status))?,
        lines: from_json(row.get_str(3)?)?,
        inspection: row.get_opt_text(4)?.map(|text| from_json(&text)).transpose()?,
        requested_at_ms: row.get_i64(5)?,
        story: story(row, 6)?,
    })
}
