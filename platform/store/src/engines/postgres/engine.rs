//! Opens a PostgreSQL store and takes jobs for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use postgres::Config;

use super::pool::{Address, BEGIN_READ, BEGIN_WRITE, Queued, serve};
use super::scrub::scrub;
use super::session::Session;
use crate::job::Job;
use crate::migrations::{Scrub, Steps};
use crate::queue::Queue;
use crate::{Limits, StoreError, Tx, params, tx};

/// A server that does not answer within this is unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection whose data nobody acknowledges for this long is broken.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
/// A thread's stack: a job, and under it the client.
const STACK_BYTES: usize = 1024 * 1024;

const FIND_SCHEMA: &str = "SELECT 1 FROM pg_namespace WHERE nspname = ?1";

/// One schema of a PostgreSQL database.
pub(crate) struct Engine {
    queue: Arc<Queue<Queued>>,
    address: Address,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Migrates the schema and starts the threads, which connect when they get their first job.
    pub(crate) fn open(url: &str, schema: &str, steps: &Steps<'_>, limits: &Limits) -> Result<Engine, StoreError> {
        let mut config: Config =
            url.parse().map_err(|error: postgres::Error| StoreError::Address { reason: error.to_string() })?;
        config.application_name(schema);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_TIMEOUT);
        }
        let address = Address { config, schema: schema.to_owned(), lock_wait_ms: limits.lock_wait.as_millis() };
        migrate_schema(&address, steps)?;

        let queue = Arc::new(Queue::new(limits.queued_jobs));
        let threads = Mutex::new(Vec::new());
        let engine = Engine { queue: Arc::clone(&queue), address: address.clone(), threads };
        for number in 1..=limits.postgres_connections.max(1) {
            let (queue, address) = (Arc::clone(&queue), address.clone());
            let handle = named(format!("{schema}-sql-{number}")).spawn(move || serve(&queue, &address));
            engine.threads.lock().unwrap_or_else(PoisonError::into_inner).push(handle.map_err(no_thread)?);
        }
        Ok(engine)
    }

    /// Queues a job that may write.
    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.queue.push(Queued { job, begin: BEGIN_WRITE })
    }

    /// Queues a job that reads one snapshot.
    pub(crate) fn read(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.queue.push(Queued { job, begin: BEGIN_READ })
    }

    /// See [`Store::scrub`](crate::Store::scrub).
    pub(crate) async fn scrub(&self) -> Result<(), StoreError> {
        let address = self.address.clone();
        let scrubbed = tokio::task::spawn_blocking(move || scrub(&address)).await;
        scrubbed.unwrap_or_else(|error| Err(StoreError::Unavailable { reason: error.to_string() }))
    }

    /// See [`Store::close`](crate::Store::close).
    pub(crate) async fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // Neither panics: jobs are caught on their threads.
        let _ = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join()))).await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Brings the schema up to date on a thread of its own: the client may not block a thread of an async runtime.
fn migrate_schema(address: &Address, steps: &Steps<'_>) -> Result<(), StoreError> {
    thread::scope(|scope| {
        let thread = named(format!("{}-migrate", address.schema)).spawn_scoped(scope, || {
            let mut session = address.connect()?;
            let owed = in_transaction(&mut session, |tx| {
                // Of several instances that start together, one migrates and the others find it done.
                tx.lock("schema_migrations")?;
                // Looked for first, because `IF NOT EXISTS` wants the right to create even when there is nothing to do.
                let found = tx.query_opt(FIND_SCHEMA, params![&address.schema], |row| row.get_i64(0))?;
                if found.is_none() {
                    tx.batch(&format!("CREATE SCHEMA \"{}\"", address.schema))?;
                }
                steps.apply(tx)
            })?;
            if let Some(owed) = owed
                && Scrub::is_done(scrub(address))?
            {
                in_transaction(&mut session, |tx| owed.done(tx))?;
            }
            Ok(())
        });
        let failed = || StoreError::Unavailable { reason: "the migration's thread failed".to_owned() };
        thread.map_err(no_thread)?.join().unwrap_or_else(|_panic| Err(failed()))
    })
}

/// Runs one of the steps of an opening, for itself. After an error the connection is dropped, and that rolls back.
fn in_transaction<T>(
    session: &mut Session,
    step: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    session.batch(BEGIN_WRITE)?;
    let answer = step(&mut Tx::new(tx::Engine::Postgres(session), 0))?;
    session.batch("COMMIT").map(|()| answer)
}

fn named(name: String) -> thread::Builder {
    thread::Builder::new().name(name).stack_size(STACK_BYTES)
}

fn no_thread(error: std::io::Error) -> StoreError {
    StoreError::Unavailable { reason: format!("no thread for a connection: {error}") }
}
