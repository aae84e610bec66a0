//! Opens a SQLite store and takes jobs for it.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::{open_writer, scrub};
use super::readers::Readers;
use super::statement::{Pinned, batch};
use super::writer::Writer;
use crate::job::Job;
use crate::migrations::{Scrub, Steps};
use crate::queue::Queue;
use crate::{Limits, StoreError, Tx, tx};

/// The writer's stack. Jobs are reactions: they read rows and parse small JSON.
const WRITER_STACK_BYTES: usize = 512 * 1024;

/// One SQLite file.
pub(crate) struct Engine {
    queue: Arc<Queue<Box<dyn Job>>>,
    readers: Readers,
    reader_limit: usize,
    path: PathBuf,
    lock_wait: Duration,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the file, migrates it, and starts its writer.
    pub(crate) fn open(path: &Path, steps: &Steps<'_>, limits: Limits) -> Result<Engine, StoreError> {
        let connection = open_writer(path, limits.lock_wait)?;
        if let Some(owed) = in_transaction(&connection, |tx| steps.apply(tx))?
            && Scrub::is_done(scrub(path, limits.lock_wait))?
        {
            in_transaction(&connection, |tx| owed.done(tx))?;
        }
        let queue = Arc::new(Queue::new(limits.queued_jobs));
        let reader_limit = limits.readers;
        let readers = Readers::new(path.to_owned(), limits.lock_wait, reader_limit);
        let (owned, lock_wait) = (path.to_owned(), limits.lock_wait);
        let writer = Writer { path: path.to_owned(), queue: Arc::clone(&queue), limits };
        let name = path.file_stem().map_or_else(|| "store".into(), |stem| stem.to_string_lossy());
        let writer = thread::Builder::new()
            .name(format!("{name}-writer"))
            .stack_size(WRITER_STACK_BYTES)
            .spawn(move || writer.run(connection))
            .map_err(|error| StoreError::Unavailable { reason: format!("no thread for the writer: {error}") })?;
        Ok(Engine { queue, readers, reader_limit, path: owned, lock_wait, writer: Mutex::new(Some(writer)) })
    }

    /// Queues a job that may write.
    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.queue.push(job)
    }

    /// Runs a job that only reads, on the calling task.
    pub(crate) fn read(&self, job: Box<dyn Job>) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + '_>> {
        Box::pin(self.readers.read(job))
    }

    /// See [`Store::scrub`](crate::Store::scrub).
    pub(crate) async fn scrub(&self) -> Result<(), StoreError> {
        let (path, lock_wait) = (self.path.clone(), self.lock_wait);
        let scrubbed = tokio::task::spawn_blocking(move || scrub(&path, lock_wait)).await;
        scrubbed.unwrap_or_else(|error| Err(StoreError::Unavailable { reason: error.to_string() }))
    }

    /// See [`Store::close`](crate::Store::close). The writer goes last, so that its checkpoint meets no reader.
    pub(crate) async fn close(&self) {
        self.readers.close(self.reader_limit).await;
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // Neither panics: jobs are caught on the writer's thread.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Runs one of the steps of an opening, for itself.
fn in_transaction<T>(
    connection: &Connection,
    step: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    batch(connection, "BEGIN IMMEDIATE")?;
    let mut session = Pinned::new(connection);
    let done = step(&mut Tx::new(tx::Engine::Sqlite(&mut session), 0))
        .and_then(|answer| batch(connection, "COMMIT").map(|()| answer));
    if done.is_err() && !connection.is_autocommit() {
        batch(connection, "ROLLBACK")?;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrub_that_a_preparation_asked_for_is_owed_until_it_was_done() {
        let connection = Connection::open_in_memory().unwrap();
        let apply = |wants: Option<bool>| {
            let prepare = |_: &mut Tx<'_>| Ok(wants == Some(true));
            let steps = Steps { migrations: &[], preparation: wants.is_some().then_some(&prepare) };
            in_transaction(&connection, |tx| steps.apply(tx)).unwrap()
        };
        assert!(apply(Some(false)).is_none());
        assert!(apply(Some(true)).is_some());
        // Here it died.
        let owed = apply(Some(false)).expect("it is still owed");
        assert!(apply(None).is_none(), "whoever only looks at the database does not write it anew");
        assert!(apply(Some(true)).is_some(), "another one is owed meanwhile");
        in_transaction(&connection, |tx| owed.done(tx)).unwrap();
        let owed = apply(Some(false)).expect("the other one is still owed");
        in_transaction(&connection, |tx| owed.done(tx)).unwrap();
        assert!(apply(Some(false)).is_none());
    }
}
