//! Runs statements on a SQLite connection.

use std::collections::HashMap;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::failure::failed;
use crate::row::{Cell, Row, Source};
use crate::{Param, StoreError};

/// What a caller does with each row.
type EachRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>;

/// A connection and the way it finds its prepared statements.
pub(crate) trait Session {
    /// The connection itself.
    fn connection(&self) -> &Connection;

    /// Lends the prepared statement for `sql` to `run`.
    fn prepared(
        &mut self,
        sql: &'static str,
        run: &mut dyn FnMut(&mut Statement<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// The writer's statements, all kept. They are found by where their text lies in the program, which spares
/// rusqlite's cache two hashes and a copy of the text per statement; the program's text bounds how many there are.
pub(super) struct Pinned<'c> {
    connection: &'c Connection,
    statements: HashMap<(usize, usize), Statement<'c>>,
}

impl<'c> Pinned<'c> {
    pub(super) fn new(connection: &'c Connection) -> Pinned<'c> {
        Pinned { connection, statements: HashMap::new() }
    }
}

impl Session for Pinned<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }

    fn prepared(
        &mut self,
        sql: &'static str,
        run: &mut dyn FnMut(&mut Statement<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let place = (sql.as_ptr().addr(), sql.len());
        if let Some(statement) = self.statements.get_mut(&place) {
            return run(statement);
        }
        let mut statement = self.connection.prepare(sql).map_err(|error| failed(sql, error))?;
        let done = run(&mut statement);
        self.statements.insert(place, statement);
        done
    }
}

/// A reader moves between threads and cannot lend to itself: it uses rusqlite's cache.
impl Session for Connection {
    fn connection(&self) -> &Connection {
        self
    }

    fn prepared(
        &mut self,
        sql: &'static str,
        run: &mut dyn FnMut(&mut Statement<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        run(&mut *self.prepare_cached(sql).map_err(|error| failed(sql, error))?)
    }
}

/// Runs a statement without an answer and says how many rows it changed.
pub(crate) fn execute(session: &mut dyn Session, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
    let mut changed = 0;
    session.prepared(sql, &mut |statement| {
        bind(statement, sql, params)?;
        changed = statement.raw_execute().map_err(|error| failed(sql, error))? as u64;
        Ok(())
    })?;
    Ok(changed)
}

/// Runs an `INSERT` and answers the new row's key.
pub(crate) fn insert(session: &mut dyn Session, sql: &'static str, params: &[Param<'_>]) -> Result<i64, StoreError> {
    execute(session, sql, params)?;
    Ok(session.connection().last_insert_rowid())
}

/// Runs a query and hands every row to `row`.
pub(crate) fn each(
    session: &mut dyn Session,
    sql: &'static str,
    params: &[Param<'_>],
    row: EachRow<'_>,
) -> Result<(), StoreError> {
    session.prepared(sql, &mut |statement| step_all(statement, sql, params, row))
}

/// As [`each`], for SQL that is used once.
pub(crate) fn each_dynamic(
    session: &mut dyn Session,
    sql: &str,
    params: &[Param<'_>],
    row: EachRow<'_>,
) -> Result<(), StoreError> {
    let mut statement = session.connection().prepare(sql).map_err(|error| failed(sql, error))?;
    step_all(&mut statement, sql, params, row)
}

/// Runs several statements without parameters.
pub(crate) fn batch(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(|error| failed(sql, error))
}

/// The value of one column.
pub(crate) fn cell<'r>(row: &'r rusqlite::Row<'r>, index: usize) -> Result<Cell<'r>, StoreError> {
    let wrong = |reason: String| StoreError::Row { reason };
    match row.get_ref(index).map_err(|error| wrong(error.to_string()))? {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Int(value)),
        ValueRef::Real(value) => Ok(Cell::Real(value)),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(Cell::Text)
            .map_err(|error| wrong(format!("column {index} is not UTF-8: {error}"))),
        ValueRef::Blob(_) => Err(wrong(format!("column {index} is a BLOB"))),
    }
}

fn step_all(
    statement: &mut Statement<'_>,
    sql: &str,
    params: &[Param<'_>],
    row: EachRow<'_>,
) -> Result<(), StoreError> {
    bind(statement, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(found) = rows.next().map_err(|error| failed(sql, error))? {
        row(&Row(Source::Sqlite(found)))?;
    }
    Ok(())
}

/// Binds every placeholder, so that no value of an earlier use is left in one.
fn bind(statement: &mut Statement<'_>, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        let reason = format!("it has {wanted} placeholders and {} values", params.len());
        return Err(StoreError::Sql { statement: sql.to_owned(), reason });
    }
    for (index, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, param).map_err(|error| failed(sql, error))?;
    }
    Ok(())
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(*value),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
