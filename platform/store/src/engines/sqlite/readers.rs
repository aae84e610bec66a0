//! A few read-only connections, lent to the calling task.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_reader;
use super::statement;
use crate::job::Job;
use crate::tx::Engine;
use crate::{StoreError, Tx};

/// The readers of one file. As many as `permits` allow, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    lock_wait: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, lock_wait: Duration, most: usize) -> Readers {
        Readers { path, lock_wait, permits: Semaphore::new(most.max(1)), idle: Mutex::new(Vec::new()) }
    }

    /// Runs `job` here and now on a snapshot, once a reader is free. Nothing is awaited while it is lent.
    pub(super) async fn read(&self, mut job: Box<dyn Job>) -> Result<(), StoreError> {
        let _permit = self.permits.acquire().await.map_err(|_closed| StoreError::closed())?;
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path, self.lock_wait)?,
        };
        statement::execute(&mut connection, "BEGIN", &[])?;
        job.run(&mut Tx::new(Engine::Sqlite(&mut connection), 0));
        // A connection that cannot end its transaction is dropped, and that ends it.
        if connection.is_autocommit() || statement::execute(&mut connection, "ROLLBACK", &[]).is_ok() {
            self.idle().push(connection);
        }
        job.answer(None);
        Ok(())
    }

    /// Refuses what comes from now on, waits for what runs, and closes the connections.
    pub(super) async fn close(&self, most: usize) {
        // An error means that another clone closed it already.
        let running = self.permits.acquire_many(u32::try_from(most.max(1)).unwrap_or(u32::MAX)).await;
        self.permits.close();
        drop(running);
        self.idle().clear();
    }

    /// Nothing panics while the lock is held, so a poisoned lock holds sound data.
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
