//! What comes out of a query, the same for both engines.

use crate::StoreError;
use crate::engines::{postgres, sqlite};

/// One row of an answer, borrowed while the query runs. Columns are counted from 0.
pub struct Row<'r>(pub(crate) Source<'r>);

/// Whose row it is.
pub(crate) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r ::postgres::Row),
}

/// One value of a row, as the engine gave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'r> {
    /// `NULL`.
    Null,
    /// Any integer type; on PostgreSQL also a boolean (0, 1) and a `NUMERIC` without a fraction (`SUM` of `BIGINT`).
    Int(i64),
    /// A value with a fraction (`AVG`); no column of ours is one.
    Real(f64),
    /// Text.
    Text(&'r str),
}

impl<'r> Row<'r> {
    /// The value of column `index` as `T`: `i64`, `u32`, `bool`, `String`, or an `Option` of these.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the column is missing, `NULL` for a `T` that is no `Option`, or of another type.
    pub fn get<T: Column>(&self, index: usize) -> Result<T, StoreError> {
        T::read(self.cell(index)?).map_err(|expected| self.unexpected(index, expected))
    }

    /// The integer in column `index`.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_i64(&self, index: usize) -> Result<i64, StoreError> {
        self.get(index)
    }

    /// The text in column `index`, copied.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_text(&self, index: usize) -> Result<String, StoreError> {
        self.get(index)
    }

    /// The text in column `index`, borrowed from the row: for parsing without a copy.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_str(&self, index: usize) -> Result<&'r str, StoreError> {
        match self.cell(index)? {
            Cell::Text(text) => Ok(text),
            _ => Err(self.unexpected(index, "a text")),
        }
    }

    /// The integer in column `index`, or `None` for `NULL`.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_opt_i64(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.get(index)
    }

    /// The text in column `index`, or `None` for `NULL`.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_opt_text(&self, index: usize) -> Result<Option<String>, StoreError> {
        self.get(index)
    }

    /// The value of column `index`, whatever its type: for SQL that was not written by us.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the column is missing or of a type that is neither number nor text.
    pub fn cell(&self, index: usize) -> Result<Cell<'r>, StoreError> {
        match &self.0 {
            Source::Sqlite(row) => sqlite::cell(row, index),
            Source::Postgres(row) => postgres::cell(row, index),
        }
    }

    /// How many columns the row has.
    pub fn columns(&self) -> usize {
        match &self.0 {
            Source::Sqlite(row) => row.as_ref().column_count(),
            Source::Postgres(row) => row.len(),
        }
    }

    /// The name of column `index`, or an empty text when there is none.
    pub fn name(&self, index: usize) -> &str {
        match &self.0 {
            Source::Sqlite(row) => row.as_ref().column_name(index).unwrap_or_default(),
            Source::Postgres(row) => row.columns().get(index).map_or("", |column| column.name()),
        }
    }

    fn unexpected(&self, index: usize, expected: &str) -> StoreError {
        let found = match self.cell(index) {
            Ok(Cell::Null) => "NULL",
            Ok(Cell::Int(_)) => "an integer out of range or",
            Ok(Cell::Real(_)) => "a number with a fraction",
            Ok(Cell::Text(_)) => "a text",
            Err(_) => "an unknown type",
        };
        let name = self.name(index);
        StoreError::Row { reason: format!("column {index} ({name}) holds {found} where {expected} was expected") }
    }
}

/// A Rust type that a column can be read as.
pub trait Column: Sized {
    /// The value of `cell`, or the name of what was expected.
    #[doc(hidden)]
    fn read(cell: Cell<'_>) -> Result<Self, &'static str>;
}

impl Column for i64 {
    fn read(cell: Cell<'_>) -> Result<Self, &'static str> {
        match cell {
            Cell::Int(value) => Ok(value),
            _ => Err("an integer"),
        }
    }
}

impl Column for u32 {
    fn read(cell: Cell<'_>) -> Result<Self, &'static str> {
        let expected = "an integer from 0 to 4294967295";
        match cell {
            Cell::Int(value) => u32::try_from(value).map_err(|_| expected),
            _ => Err(expected),
        }
    }
}

impl Column for bool {
    fn read(cell: Cell<'_>) -> Result<Self, &'static str> {
        match cell {
            Cell::Int(0) => Ok(false),
            Cell::Int(1) => Ok(true),
            _ => Err("0 or 1"),
        }
    }
}

impl Column for String {
    fn read(cell: Cell<'_>) -> Result<Self, &'static str> {
        match cell {
            Cell::Text(text) => Ok(text.to_owned()),
            _ => Err("a text"),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(cell: Cell<'_>) -> Result<Self, &'static str> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::read(cell).map(Some),
        }
    }
}
