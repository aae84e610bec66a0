//! The table of orders.

use events::{CustomerId, OrderId};
use store::{Row, StoreError, Tx, params};

use crate::decide::{self, Status};
use crate::order::Order;

const FIND: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms
    FROM orders WHERE order_id = ?1";
const INSERT: &str = "INSERT INTO orders (order_id, status, facts, updated_at_ms, contents, customer_id, placed_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const OPEN: &str = "UPDATE orders SET status = ?2, facts = ?3, updated_at_ms = ?4, contents = ?5, customer_id = ?6,
    placed_at_ms = ?7 WHERE order_id = ?1";
const ADVANCE: &str = "UPDATE orders SET status = ?2, facts = ?3, updated_at_ms = ?4 WHERE order_id = ?1";
/// Leaves the status alone, and with it the index on it.
const EXTEND: &str = "UPDATE orders SET facts = ?2, updated_at_ms = ?3 WHERE order_id = ?1";
const COUNT: &str = "SELECT status, COUNT(*) FROM orders GROUP BY status";

const LIST: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms, order_id
    FROM orders WHERE order_id > ?1 ORDER BY order_id LIMIT ?2";
const LIST_STATUS: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms, order_id
    FROM orders WHERE order_id > ?1 AND status = ?3 ORDER BY order_id LIMIT ?2";
const LIST_CUSTOMER: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms, order_id
    FROM orders WHERE order_id > ?1 AND customer_id = ?3 ORDER BY order_id LIMIT ?2";
const LIST_BOTH: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms, order_id
    FROM orders WHERE order_id > ?1 AND customer_id = ?3 AND status = ?4 ORDER BY order_id LIMIT ?2";

/// The order, if anything is known about it.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn find(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
    tx.query_opt(FIND, params![order_id.as_str()], read)
}

/// Writes what changed: one statement, and only the columns that have to be.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn save(tx: &mut Tx<'_>, order_id: &OrderId, order: &mut Order) -> Result<(), StoreError> {
    let facts = serde_json::to_string(&order.facts).expect("facts have only strings and integers");
    let status = decide::status(&order.facts);
    let (id, name, now_ms) = (order_id.as_str(), status.as_str(), tx.now_ms());
    let customer_id = order.customer_id.as_ref().map(CustomerId::as_str);
    match order.stored {
        None => {
            tx.execute(INSERT, params![id, name, &facts, now_ms, &order.contents, customer_id, order.placed_at_ms])?
        }
        Some(_) if order.opened => {
            tx.execute(OPEN, params![id, name, &facts, now_ms, &order.contents, customer_id, order.placed_at_ms])?
        }
        Some(before) if before != status => tx.execute(ADVANCE, params![id, name, &facts, now_ms])?,
        Some(_) => tx.execute(EXTEND, params![id, &facts, now_ms])?,
    };
    (order.stored, order.opened, order.updated_at_ms) = (Some(status), false, now_ms);
    Ok(())
}

/// Up to `limit` orders after the id `after`, by id.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn list(
    tx: &mut Tx<'_>,
    status: Option<Status>,
    customer_id: Option<&str>,
    after: &str,
    limit: u32,
) -> Result<Vec<(String, Order)>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.get_text(6)?, read(row)?));
    match (status.map(Status::as_str), customer_id) {
        (None, None) => tx.query(LIST, params![after, limit], read),
        (Some(status), None) => tx.query(LIST_STATUS, params![after, limit, status], read),
        (None, Some(customer)) => tx.query(LIST_CUSTOMER, params![after, limit, customer], read),
        (Some(status), Some(customer)) => tx.query(LIST_BOTH, params![after, limit, customer, status], read),
    }
}

/// How many orders there are of each status.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn count(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(COUNT, params![], |row| Ok((row.get_text(0)?, row.get_i64(1)?)))
}

/// A column that does not hold what was written into it.
pub(crate) fn unreadable(column: &str, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { reason: format!("orders.{column}: {problem}") }
}

fn read(row: &Row<'_>) -> Result<Order, StoreError> {
    let stored = Status::named(row.get_str(0)?).ok_or_else(|| unreadable("status", &"is no status"))?;
    let facts = serde_json::from_str(row.get_str(1)?).map_err(|error| unreadable("facts", &error))?;
    let customer_id = row.get_opt_text(3)?.map(CustomerId::try_from).transpose();
    Ok(Order {
        facts,
        contents: row.get_opt_text(2)?,
        customer_id: customer_id.map_err(|error| unreadable("customer_id", &error))?,
        placed_at_ms: row.get_opt_i64(4)?,
        updated_at_ms: row.get_i64(5)?,
        stored: Some(stored),
        opened: false,
    })
}
