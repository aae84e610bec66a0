//! The borrowed transaction that every reaction works on.

use crate::engines::{postgres, sqlite};
use crate::row::Row;
use crate::{Param, StoreError};

/// One job's view of the database inside an open transaction.
///
/// SQL is written once for both engines: placeholders are `?1`, `?2`, …, columns are `BIGINT` and `TEXT`, and
/// `ON CONFLICT` and `RETURNING` work. SQL is `&'static str`, so that statements are prepared once and nothing from
/// outside can become SQL.
///
/// A statement that failed loses the transaction, on both engines: every later statement answers the same error, and
/// a job that swallows it is rolled back all the same. Say what may happen in the SQL (`ON CONFLICT DO NOTHING`), not
/// by catching errors.
pub struct Tx<'a> {
    engine: Engine<'a>,
    now_ms: i64,
    failure: Option<StoreError>,
}

/// Whose transaction it is.
pub(crate) enum Engine<'a> {
    Sqlite(&'a mut (dyn sqlite::Session + 'a)),
    Postgres(&'a mut postgres::Session),
}

impl<'a> Tx<'a> {
    pub(crate) fn new(engine: Engine<'a>, now_ms: i64) -> Tx<'a> {
        Tx { engine, now_ms, failure: None }
    }

    /// The time that came in with the job. Unix milliseconds; 0 in a read, which takes its time from its caller.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Runs a statement that returns no rows, and says how many rows it changed.
    ///
    /// # Errors
    /// Any [`StoreError`]; the transaction is lost then.
    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.guarded(|engine| match engine {
            Engine::Sqlite(session) => sqlite::execute(*session, sql, params),
            Engine::Postgres(session) => session.execute(sql, params),
        })
    }

    /// Runs a query and reads every row with `row`. The SQL bounds how many: give it a `LIMIT`.
    ///
    /// # Errors
    /// Any [`StoreError`], also the one `row` returned; the transaction is lost then.
    pub fn query<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, params, &mut |r| {
            found.push(row(r)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Runs a query that finds at most one row.
    ///
    /// # Errors
    /// As [`Tx::query`]; [`StoreError::Row`] when there is more than one row.
    pub fn query_opt<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, params, &mut |r| {
            if found.is_some() {
                return Err(StoreError::Row { reason: format!("more than one row answers {sql:?}") });
            }
            found = Some(row(r)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Runs a query whose text is made while the program runs: an audit's or a person's. It must begin with
    /// `SELECT`, `WITH`, `VALUES` or `EXPLAIN`, and is not cached. In a read it cannot change anything; in a write the
    /// caller answers for its text.
    ///
    /// # Errors
    /// As [`Tx::query`]; [`StoreError::Sql`] for a statement that is not a query.
    pub fn query_dynamic<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.guarded(|engine| {
            refuse_commands(sql)?;
            let mut each = |r: &Row<'_>| {
                found.push(row(r)?);
                Ok(())
            };
            match engine {
                Engine::Sqlite(session) => sqlite::each_dynamic(*session, sql, params, &mut each),
                Engine::Postgres(session) => session.each_dynamic(sql, params, &mut each),
            }
        })?;
        Ok(found)
    }

    /// Lets no other transaction that locks the same `key` go on until this one ends, so that two reactions for one
    /// order never interleave. Lock once, first thing in the job: jobs that take several locks in different orders
    /// wait for each other and one is [`StoreError::Busy`]. Free on SQLite, where there is one writer.
    ///
    /// # Errors
    /// Any [`StoreError`]; the transaction is lost then.
    pub fn lock(&mut self, key: &str) -> Result<(), StoreError> {
        self.guarded(|engine| match engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.lock(key),
        })
    }

    /// Runs an `INSERT` whose table has the key column `seq`, and answers the new row's. The two texts are the same
    /// statement: SQLite knows the key without `RETURNING`, which costs it a temporary table.
    pub(crate) fn insert(
        &mut self,
        sql: &'static str,
        sql_returning: &'static str,
        params: &[Param<'_>],
    ) -> Result<i64, StoreError> {
        if let Engine::Sqlite(_) = self.engine {
            return self.guarded(|engine| match engine {
                Engine::Sqlite(session) => sqlite::insert(*session, sql, params),
                Engine::Postgres(_) => Ok(0),
            });
        }
        let key = self.query_opt(sql_returning, params, |row| row.get_i64(0))?;
        key.ok_or_else(|| StoreError::Row { reason: "the insert returned no key".to_owned() })
    }

    /// Runs several statements without parameters: a migration.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.guarded(|engine| match engine {
            Engine::Sqlite(session) => sqlite::batch(session.connection(), sql),
            Engine::Postgres(session) => session.batch(sql),
        })
    }

    /// What the engine calls a key that counts up by itself; see [`Migration`](crate::Migration).
    pub(crate) fn tokens(&self) -> &'static [(&'static str, &'static str)] {
        match self.engine {
            Engine::Sqlite(_) => sqlite::TOKENS,
            Engine::Postgres(_) => postgres::TOKENS,
        }
    }

    /// The error that lost this transaction, if one did.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.guarded(|engine| match engine {
            Engine::Sqlite(session) => sqlite::each(*session, sql, params, row),
            Engine::Postgres(session) => session.each(sql, params, row),
        })
    }

    /// Runs nothing once something failed: PostgreSQL would refuse it anyway, and SQLite may have rolled back the
    /// whole transaction, after which each statement would commit by itself.
    fn guarded<T>(&mut self, run: impl FnOnce(&mut Engine<'a>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        run(&mut self.engine).inspect_err(|error| self.failure = Some(error.clone()))
    }
}

/// A lone `COMMIT` would end the read-only transaction, and what follows could write.
fn refuse_commands(sql: &str) -> Result<(), StoreError> {
    let word: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    if ["select", "with", "values", "explain"].contains(&word.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(StoreError::Sql { statement: sql.to_owned(), reason: "only queries are allowed here".to_owned() })
}
