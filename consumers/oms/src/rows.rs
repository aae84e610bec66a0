//! The table of orders.

use events::{CustomerId, OrderId};
use store::{Row, StoreError, Tx, params};

use crate::decide::{self, Status};
use crate::facts::Facts;
use crate::order::Order;
use crate::waits::{self, Watch};

const FIND: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms FROM orders WHERE order_id = ?1";
const INSERT: &str = "INSERT INTO orders (order_id, status, facts, updated_at_ms, waits_for, waits_from_ms,
    stuck_since_ms, contents, customer_id, placed_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const OPEN: &str = "UPDATE orders SET status = ?2, facts = ?3, updated_at_ms = ?4, waits_for = ?5, waits_from_ms = ?6,
    stuck_since_ms = ?7, contents = ?8, customer_id = ?9, placed_at_ms = ?10 WHERE order_id = ?1";
const ADVANCE: &str =
    "UPDATE orders SET status = ?2, facts = ?3, updated_at_ms = ?4, waits_for = ?5, waits_from_ms = ?6,
    stuck_since_ms = ?7 WHERE order_id = ?1";
/// Leaves the status alone, and with it the index on it.
const WATCH: &str = "UPDATE orders SET facts = ?2, updated_at_ms = ?3, waits_for = ?4, waits_from_ms = ?5,
    stuck_since_ms = ?6 WHERE order_id = ?1";
/// Leaves every index alone.
const EXTEND: &str = "UPDATE orders SET facts = ?2, updated_at_ms = ?3 WHERE order_id = ?1";
const COUNT: &str = "SELECT status, COUNT(*) FROM orders GROUP BY status";

const LIST: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms, order_id FROM orders WHERE order_id > ?1 ORDER BY order_id LIMIT ?2";
const LIST_STATUS: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms, order_id FROM orders WHERE order_id > ?1 AND status = ?3 ORDER BY order_id LIMIT ?2";
const LIST_CUSTOMER: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms, order_id FROM orders WHERE order_id > ?1 AND customer_id = ?3 ORDER BY order_id LIMIT ?2";
const LIST_BOTH: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms, order_id FROM orders WHERE order_id > ?1 AND customer_id = ?3 AND status = ?4 ORDER BY order_id LIMIT ?2";

const LIST_STUCK: &str = "SELECT status, facts, contents, customer_id, placed_at_ms, updated_at_ms,
    waits_for, waits_from_ms, stuck_since_ms, order_id FROM orders
    WHERE order_id > ?1 AND stuck_since_ms IS NOT NULL ORDER BY order_id LIMIT ?2";
/// Says what the index is limited to, so that it is used.
const WAITING: &str = "SELECT order_id FROM orders
    WHERE waits_for = ?1 AND waits_for > 0 AND waits_from_ms <= ?2 ORDER BY waits_from_ms LIMIT ?3";

const HEAR_MINUTE: &str = "INSERT INTO last_minute (id, minute_ms, heard_at_ms) VALUES (1, ?1, ?2)
    ON CONFLICT (id) DO UPDATE SET minute_ms = excluded.minute_ms, heard_at_ms = excluded.heard_at_ms";
const MINUTE_HEARD: &str = "SELECT heard_at_ms FROM last_minute WHERE id = 1";

/// Remembers that a minute was heard.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn hear_minute(tx: &mut Tx<'_>, minute_ms: i64) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(HEAR_MINUTE, params![minute_ms, now_ms]).map(drop)
}

/// When a minute was heard last, in milliseconds since the Unix epoch by our own clock; none when none was.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn minute_heard_ms(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    tx.query_opt(MINUTE_HEARD, &[], |row| row.get_i64(0))
}

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
    let watch = waits::watch(&order.facts);
    let Watch { bits, from_ms, stuck_since_ms: stuck_ms } = watch;
    let (contents, placed_at_ms) = (&order.contents, order.placed_at_ms);
    match order.stored {
        None => {
            let row = params![id, name, &facts, now_ms, bits, from_ms, stuck_ms, contents, customer_id, placed_at_ms];
            tx.execute(INSERT, row)?
        }
        Some(_) if order.opened => {
            let row = params![id, name, &facts, now_ms, bits, from_ms, stuck_ms, contents, customer_id, placed_at_ms];
            tx.execute(OPEN, row)?
        }
        Some(before) if before != status => {
            tx.execute(ADVANCE, params![id, name, &facts, now_ms, bits, from_ms, stuck_ms])?
        }
        Some(_) if order.watch != watch => tx.execute(WATCH, params![id, &facts, now_ms, bits, from_ms, stuck_ms])?,
        Some(_) => tx.execute(EXTEND, params![id, &facts, now_ms])?,
    };
    (order.stored, order.opened, order.updated_at_ms, order.watch) = (Some(status), false, now_ms, watch);
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
    let read = |row: &Row<'_>| Ok((row.get_text(9)?, read(row)?));
    match (status.map(Status::as_str), customer_id) {
        (None, None) => tx.query(LIST, params![after, limit], read),
        (Some(status), None) => tx.query(LIST_STATUS, params![after, limit, status], read),
        (None, Some(customer)) => tx.query(LIST_CUSTOMER, params![after, limit, customer], read),
        (Some(status), Some(customer)) => tx.query(LIST_BOTH, params![after, limit, customer, status], read),
    }
}

/// Up to `limit` stuck orders after the id `after`, by id.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn stuck(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<(String, Order)>, StoreError> {
    tx.query(LIST_STUCK, params![after, limit], |row| Ok((row.get_text(9)?, read(row)?)))
}

/// Up to `limit` orders that wait for exactly these things since `from_ms` or longer, the longest first.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn waiting(tx: &mut Tx<'_>, bits: i64, from_ms: i64, limit: u32) -> Result<Vec<OrderId>, StoreError> {
    tx.query(WAITING, params![bits, from_ms, limit], |row| {
        row.get_str(0)?.parse().map_err(|error| unreadable("order_id", &error))
    })
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
    let mut facts: Facts = serde_json::from_str(row.get_str(1)?).map_err(|error| unreadable("facts", &error))?;
    let contents = row.get_opt_text(2)?;
    if facts.bought.is_empty()
        && let Some(contents) = &contents
    {
        // Written before the set knew what was bought.
        facts.open(&serde_json::from_str(contents).map_err(|error| unreadable("contents", &error))?);
    }
    let customer_id = row.get_opt_text(3)?.map(CustomerId::try_from).transpose();
    Ok(Order {
        facts,
        contents,
        customer_id: customer_id.map_err(|error| unreadable("customer_id", &error))?,
        placed_at_ms: row.get_opt_i64(4)?,
        updated_at_ms: row.get_i64(5)?,
        watch: Watch { bits: row.get_i64(6)?, from_ms: row.get_opt_i64(7)?, stuck_since_ms: row.get_opt_i64(8)? },
        stored: Some(stored),
        opened: false,
    })
}

#[cfg(test)]
mod tests {
    use testkit::Scenario;

    use super::{LIST_STUCK, WAITING};

    /// With every minute these are asked over all open orders.
    #[tokio::test]
    async fn what_a_minute_asks_is_answered_by_an_index_alone() {
        let shop = Scenario::new(crate::consumer(), crate::MIGRATIONS);
        for (sql, index) in
            [(WAITING, "orders_waiting (waits_for=? AND waits_from_ms<?)"), (LIST_STUCK, "orders_stuck (order_id>?)")]
        {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = shop.read(move |tx| {
                let values = [store::Param::Int(1), store::Param::Int(2), store::Param::Int(3)];
                let values = if explain.contains("?3") { &values[..] } else { &values[..2] };
                tx.query_dynamic(&explain, values, |row| row.get_text(3))
            });
            let plan = plan.await.join("; ");
            assert!(plan.contains(index) && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
