//! The tables of shipments and stopped orders.

use events::{EventId, OrderId, ProductId, ShipmentId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Row, StoreError, Tx, params};

use crate::shipment::{Shipment, Status, Story};

const STANDING: &str = "SELECT (SELECT code FROM stopped_orders WHERE order_id = ?1),
    (SELECT said FROM stopped_orders WHERE order_id = ?1),
    (SELECT COUNT(*) FROM shipments WHERE order_id = ?1)";
const INSERT: &str =
    "INSERT INTO shipments (shipment_id, order_id, ledger, part, status, attempt, lines, location, due_at_ms,
    created_at_ms, dispatched_at_ms, delivered_at_ms, failed_at_ms, cause_id, correlation_id, traceparent)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const ADVANCE: &str = "UPDATE shipments SET status = ?3, due_at_ms = ?4, dispatched_at_ms = ?5, delivered_at_ms = ?6,
    failed_at_ms = ?7, attempt = ?8 WHERE shipment_id = ?1 AND status = ?2";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT shipment_id, order_id, ledger, part, status, attempt, lines, location, due_at_ms, created_at_ms,
            dispatched_at_ms, delivered_at_ms, failed_at_ms, cause_id, correlation_id, traceparent FROM shipments ",
            $rest
        )
    };
}

const ONE: &str = select!("WHERE shipment_id = ?1");
const OF_ORDER: &str = select!("WHERE order_id = ?1 ORDER BY ledger DESC, part LIMIT ?2");
const DUE: &str = select!("WHERE due_at_ms <= ?1 ORDER BY due_at_ms LIMIT ?2");
const LIST: &str = select!("WHERE shipment_id > ?1 ORDER BY shipment_id LIMIT ?2");
const STOP: &str = "INSERT INTO stopped_orders (order_id, code, said, at_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (order_id) DO NOTHING";
const SAID: &str = "UPDATE stopped_orders SET said = 1 WHERE order_id = ?1";

/// The most shipments of one order: one per line.
const MAX_SHIPMENTS_PER_ORDER: u32 = 100;

/// What the warehouse knows about an order before it ships it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Why nothing is shipped for it any more, if so.
    pub stopped: Option<String>,
    /// Whether `ShipmentFailed` was said, or need not be.
    pub said: bool,
    /// Whether it has shipments, in whatever state.
    pub has_shipments: bool,
}

/// The order's standing.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn standing(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Standing, StoreError> {
    let found = tx.query_opt(STANDING, params![order_id.as_str()], |row| {
        Ok(Standing {
            stopped: row.get_opt_text(0)?,
            said: row.get_opt_i64(1)? == Some(1),
            has_shipments: row.get_i64(2)? > 0,
        })
    })?;
    found.ok_or_else(|| StoreError::Row { reason: "a query without a table has one row".to_owned() })
}

/// Writes a new shipment.
///
/// # Errors
/// [`StoreError::Constraint`] when the order has it; any other [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, shipment: &Shipment) -> Result<(), StoreError> {
    let Shipment { shipment_id, order_id, ledger, status, location, story, .. } = shipment;
    let part = shipment.part.as_ref().map_or("", ProductId::as_str);
    let lines = to_json(&shipment.lines);
    let values = params![
        shipment_id.as_str(),
        order_id.as_str(),
        ledger.as_str(),
        part,
        status.as_str(),
        shipment.attempt,
        &lines,
        location,
        shipment.due_at_ms,
        shipment.created_at_ms,
        shipment.dispatched_at_ms,
        shipment.delivered_at_ms,
        shipment.failed_at_ms,
        story.cause_id.as_ref().map(EventId::as_str),
        story.correlation_id.as_ref().map(EventId::as_str),
        &story.traceparent,
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Writes a shipment's step, if it still stands at `before`. False: somebody was faster.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn advance(tx: &mut Tx<'_>, before: Status, shipment: &Shipment) -> Result<bool, StoreError> {
    let Shipment { shipment_id, status, attempt, due_at_ms, dispatched_at_ms, delivered_at_ms, failed_at_ms, .. } =
        shipment;
    let values = params![
        shipment_id.as_str(),
        before.as_str(),
        status.as_str(),
        *due_at_ms,
        *dispatched_at_ms,
        *delivered_at_ms,
        *failed_at_ms,
        *attempt,
    ];
    Ok(tx.execute(ADVANCE, values)? == 1)
}

/// One shipment.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn one(tx: &mut Tx<'_>, shipment_id: &ShipmentId) -> Result<Option<Shipment>, StoreError> {
    tx.query_opt(ONE, params![shipment_id.as_str()], read)
}

/// The order's shipments: what goes together, then freight.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn of_order(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Vec<Shipment>, StoreError> {
    tx.query(OF_ORDER, params![order_id.as_str(), MAX_SHIPMENTS_PER_ORDER], read)
}

/// Up to `limit` shipments whose next step is due at `now_ms`, the longest due first.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u32) -> Result<Vec<Shipment>, StoreError> {
    tx.query(DUE, params![now_ms, limit], read)
}

/// Up to `limit` shipments after the id `after`, by id.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn list(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<Shipment>, StoreError> {
    tx.query(LIST, params![after, limit], read)
}

/// Remembers that nothing is shipped for the order; the first reason stays.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn stop(tx: &mut Tx<'_>, order_id: &OrderId, code: &str, said: bool) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(STOP, params![order_id.as_str(), code, said, now_ms]).map(drop)
}

/// Remembers that `ShipmentFailed` was said for a stopped order.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn mark_said(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<(), StoreError> {
    tx.execute(SAID, params![order_id.as_str()]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Shipment, StoreError> {
    let (part, status) = (row.get_text(3)?, row.get_str(4)?);
    Ok(Shipment {
        shipment_id: id(row.get_text(0)?)?,
        order_id: id(row.get_text(1)?)?,
        ledger: row.get_str(2)?.parse().map_err(|error| unreadable(&error))?,
        part: (!part.is_empty()).then(|| id(part)).transpose()?,
        status: Status::named(status).ok_or_else(|| unreadable(&status))?,
        attempt: row.get(5)?,
        lines: from_json(row.get_str(6)?)?,
        location: row.get_text(7)?,
        due_at_ms: row.get_opt_i64(8)?,
        created_at_ms: row.get_i64(9)?,
        dispatched_at_ms: row.get_opt_i64(10)?,
        delivered_at_ms: row.get_opt_i64(11)?,
        failed_at_ms: row.get_opt_i64(12)?,
        story: story(row, 13)?,
    })
}

/// The story in three columns from `first` on.
pub(crate) fn story(row: &Row<'_>, first: usize) -> Result<Story, StoreError> {
    Ok(Story {
        cause_id: row.get_opt_text(first)?.map(id).transpose()?,
        correlation_id: row.get_opt_text(first + 1)?.map(id).transpose()?,
        traceparent: row.get_opt_text(first + 2)?,
    })
}

/// An id as it was written.
pub(crate) fn id<T: TryFrom<String, Error = events::id::InvalidId>>(text: String) -> Result<T, StoreError> {
    text.try_into().map_err(|error| unreadable(&error))
}

/// Lines as text.
pub(crate) fn to_json<T: Serialize + ?Sized>(lines: &T) -> String {
    serde_json::to_string(lines).expect("lines have only strings and integers")
}

/// Lines from their text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

/// A column that does not hold what was written into it.
pub(crate) fn unreadable(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { reason: format!("not as it was written: {problem}") }
}
