//! A database in memory whose jobs run on the calling thread, one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::failure::failed;
use super::statement::{self, batch};
use crate::held::{Fate, Gate};
use crate::job::Job;
use crate::migrations::Steps;
use crate::tx::Engine;
use crate::{StoreError, Tx};

/// Prepared statements kept. A service has some dozens.
const STATEMENTS: usize = 512;
/// No disk, so nothing to wait for. The kept state is what the outer transaction began with.
const SETTINGS: &str = "PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    BEGIN";

/// The connection, inside a transaction that never ends by itself.
pub(crate) struct Memory(Mutex<Connection>);

impl Memory {
    pub(crate) fn open() -> Result<Memory, StoreError> {
        let connection = Connection::open_in_memory().map_err(|error| failed("open", error))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        batch(&connection, SETTINGS)?;
        Ok(Memory(Mutex::new(connection)))
    }

    pub(crate) fn keep(&self) -> Result<(), StoreError> {
        batch(&self.connection(), "COMMIT; BEGIN")
    }

    pub(crate) fn restore(&self) -> Result<(), StoreError> {
        batch(&self.connection(), "ROLLBACK; BEGIN")
    }

    pub(crate) fn migrate(&self, steps: &Steps<'_>) -> Result<(), StoreError> {
        let mut connection = self.connection();
        control(&mut connection, "SAVEPOINT job")?;
        let done = steps.apply(&mut Tx::new(Engine::Sqlite(&mut *connection), 0));
        end(&mut connection, done.is_ok())?;
        done.map(drop)
    }

    /// Runs a job in a savepoint and answers it when the gate lets the answer out.
    pub(crate) async fn write(&self, mut job: Box<dyn Job>, gate: &dyn Gate) -> Result<(), StoreError> {
        enter(gate).await?;
        let fate = self.run(&mut job, gate).err();
        gate.answer().await;
        job.answer(fate);
        Ok(())
    }

    fn run(&self, job: &mut Box<dyn Job>, gate: &dyn Gate) -> Result<(), StoreError> {
        let mut connection = self.connection();
        control(&mut connection, "SAVEPOINT job")?;
        let mut tx = Tx::new(Engine::Sqlite(&mut *connection), job.now_ms());
        let wants = job.run(&mut tx);
        let left = if tx.failure().is_none() { gate.leave(&mut tx, wants) } else { Ok(false) };
        if connection.is_autocommit() {
            return Err(StoreError::Unavailable { reason: "the transaction was rolled back".to_owned() });
        }
        let keeps = matches!(left, Ok(true));
        end(&mut connection, keeps)?;
        if !keeps {
            gate.undone(&mut Tx::new(Engine::Sqlite(&mut *connection), job.now_ms()));
        }
        left.map(|_| ())
    }

    /// Runs a job that must not write. One that does is undone and refused; that it cannot is a pragma elsewhere, which would throw away
    /// every prepared statement each time it changes here.
    pub(crate) async fn read(&self, mut job: Box<dyn Job>, gate: &dyn Gate) -> Result<(), StoreError> {
        enter(gate).await?;
        let fate = self.look(&mut job)?;
        gate.answer().await;
        job.answer(fate);
        Ok(())
    }

    fn look(&self, job: &mut Box<dyn Job>) -> Result<Option<StoreError>, StoreError> {
        let mut connection = self.connection();
        control(&mut connection, "SAVEPOINT job")?;
        let changes = connection.total_changes();
        job.run(&mut Tx::new(Engine::Sqlite(&mut *connection), 0));
        let wrote = connection.total_changes() != changes;
        end(&mut connection, !wrote)?;
        let reason = "attempt to write in a read".to_owned();
        Ok(wrote.then(|| StoreError::Sql { statement: String::new(), reason }))
    }

    /// Nothing panics while the lock is held: jobs are caught.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn enter(gate: &dyn Gate) -> Result<(), StoreError> {
    match gate.enter() {
        Fate::Runs => Ok(()),
        Fate::Refused(error) => Err(error),
        Fate::Never => std::future::pending().await,
    }
}

fn end(connection: &mut Connection, keeps: bool) -> Result<(), StoreError> {
    if !keeps {
        control(connection, "ROLLBACK TO job")?;
    }
    control(connection, "RELEASE job")
}

fn control(connection: &mut Connection, sql: &'static str) -> Result<(), StoreError> {
    statement::execute(connection, sql, &[]).map(|_| ())
}
