//! What the broker asks of a warehouse.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::column::Column;
use super::table_name::TableName;

/// A place of tables that BigQuery subscriptions write to.
pub trait Warehouse: fmt::Debug + Send + Sync {
    /// The columns of a table. Asked before every batch of rows: keep the answer for a while where asking is dear, and give the
    /// same [`Arc`] as long as nothing changed.
    fn look_up<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Arc<Table>, Trouble>>;

    /// Appends rows, in the order in which they are to stand.
    fn append<'a>(&'a self, table: &'a TableName, rows: &'a [Row]) -> BoxFuture<'a, Appended>;
}

/// What is known of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A row to append.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The same whenever the same message is written for the same subscription, and no other row's.
    pub insert_id: String,
    /// Values by column, as BigQuery's insertAll takes them: JSON, NUMERIC, BYTES and times are strings, absent is NULL.
    pub columns: Map<String, Value>,
}

/// What became of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// All are durable.
    Written,
    /// These never will be written. The rest is not known to be, and is to be given again without them.
    Bad(Vec<BadRow>),
    /// None is known to be written.
    Failed(Trouble),
}

/// A row the table does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its place among the rows given.
    pub index: usize,
    /// Why. It goes into the dead letter.
    pub reason: String,
}

/// Why a table cannot be written to. All but [`Trouble::Unavailable`] are a state of the subscription, until they are mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no such table.
    #[error("the table is not there")]
    NotFound,
    /// The table is there and not ours to read or write.
    #[error("permission denied: {0}")]
    PermissionDenied(String),
    /// The table's columns cannot take what the subscription writes.
    #[error("schema mismatch: {0}")]
    SchemaMismatch(String),
    /// It may work later: the rows are tried again.
    #[error("unavailable: {0}")]
    Unavailable(String),
}
