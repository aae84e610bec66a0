//! The rows: what clients were told, each with its idempotency key.

use axum::http::StatusCode;
use events::{CustomerId, OrderId};
use store::{Row, StoreError, Tx, params};

use crate::request::Key;

/// A key used before, or an order told before, keeps its first row.
const INSERT: &str = "INSERT INTO orders
    (order_id, customer_id, status, status_code, total_minor, response, idempotency_key, fingerprint, placed_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
const BY_KEY: &str = "SELECT order_id, customer_id, status, status_code, response, fingerprint, placed_at_ms, seq
    FROM orders WHERE idempotency_key = ?1";
const BY_ID: &str = "SELECT order_id, customer_id, status, status_code, response, fingerprint, placed_at_ms, seq
    FROM orders WHERE order_id = ?1";
const PAGE: &str = "SELECT order_id, customer_id, status, status_code, '', NULL, placed_at_ms, seq
    FROM orders WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// The status of an order whose facts were said.
pub(crate) const CONFIRMED: &str = "confirmed";

/// A row about to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    /// Which order.
    pub order_id: OrderId,
    /// Whose, sealed.
    pub customer_id: CustomerId,
    /// What the client is told: a status and a body.
    pub status_code: u16,
    /// The body.
    pub response: String,
    /// What the customer pays, in cents; 0 for a rejected order.
    pub total_minor: i64,
    /// The key it was asked under.
    pub key: Option<Key>,
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub placed_at_ms: i64,
}

impl NewOrder {
    /// A row that is only to be refused by one that stands, and never committed.
    pub(crate) fn probe(order_id: OrderId, key: Option<Key>) -> Self {
        Self {
            order_id,
            customer_id: CustomerId::nobody(),
            status_code: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
            response: String::new(),
            total_minor: 0,
            key,
            placed_at_ms: 0,
        }
    }
}

/// A row as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Which order.
    pub order_id: String,
    /// Whose, sealed.
    pub customer_id: String,
    /// `confirmed` or `rejected`.
    pub status: String,
    /// What the client was told.
    pub status_code: u32,
    /// The body; empty in a page.
    pub response: String,
    /// Of the basket, when it was asked for under a key.
    pub fingerprint: Option<String>,
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub placed_at_ms: i64,
    /// Its place in the order of commits.
    pub seq: i64,
}

/// True for an answer that confirms.
pub(crate) fn confirms(status_code: u16) -> bool {
    status_code < 400
}

/// Writes an answer. False, and nothing is written, when its key or its id has one already.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewOrder) -> Result<bool, StoreError> {
    let status = if confirms(new.status_code) { CONFIRMED } else { "rejected" };
    let key = new.key.as_ref().map(|key| key.hash.as_str());
    let fingerprint = new.key.as_ref().map(|key| key.fingerprint.as_str());
    let values = params![
        new.order_id.as_str(),
        new.customer_id.as_str(),
        status,
        new.status_code,
        new.total_minor,
        &new.response,
        key,
        fingerprint,
        new.placed_at_ms,
    ];
    Ok(tx.execute(INSERT, values)? == 1)
}

/// The answer that kept a row from being written: the one under its key, or else the one for its order.
pub(crate) fn before(tx: &mut Tx<'_>, new: &NewOrder) -> Result<Option<Order>, StoreError> {
    let under_key = match &new.key {
        Some(key) => by_key(tx, &key.hash)?,
        None => None,
    };
    match under_key {
        None => by_id(tx, new.order_id.as_str()),
        found => Ok(found),
    }
}

/// The answer given under a key.
pub(crate) fn by_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<Order>, StoreError> {
    tx.query_opt(BY_KEY, params![key], order)
}

/// The answer given for an order.
pub(crate) fn by_id(tx: &mut Tx<'_>, order_id: &str) -> Result<Option<Order>, StoreError> {
    tx.query_opt(BY_ID, params![order_id], order)
}

/// Answers after place `after`, in the order of their commits.
pub(crate) fn page(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Order>, StoreError> {
    tx.query(PAGE, params![after, limit], order)
}

fn order(row: &Row<'_>) -> Result<Order, StoreError> {
    Ok(Order {
        order_id: row.get_text(0)?,
        customer_id: row.get_text(1)?,
        status: row.get_text(2)?,
        status_code: row.get(3)?,
        response: row.get_text(4)?,
        fingerprint: row.get_opt_text(5)?,
        placed_at_ms: row.get_i64(6)?,
        seq: row.get_i64(7)?,
    })
}
