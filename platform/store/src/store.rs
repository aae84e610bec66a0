//! The door: open, write, read, close.

use std::sync::Arc;

use crate::engines::{postgres, sqlite};
use crate::job::Work;
use crate::migrations::{Migration, Preparation, Steps};
use crate::{Database, Held, Limits, StoreError, Tx};

/// One service's database. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
    Held(Held),
}

impl Store {
    /// Opens the database with the default [`Limits`]; see [`Store::open_with`].
    ///
    /// # Errors
    /// As [`Store::open_with`].
    pub fn open(database: &Database, migrations: &[Migration]) -> Result<Store, StoreError> {
        Self::open_with(database, migrations, Limits::default())
    }

    /// Opens the database and brings its tables up to date: the store's own (inbox, outbox, attempts), then the
    /// service's `migrations`. All that is missing is applied in one transaction, or nothing is. Blocks while it does:
    /// call it while starting.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when the database does not fit the program, [`StoreError::Unavailable`] when it
    /// cannot be opened, [`StoreError::Busy`] when another process keeps it locked.
    pub fn open_with(database: &Database, migrations: &[Migration], limits: Limits) -> Result<Store, StoreError> {
        Self::open_steps(database, &Steps { migrations, preparation: None }, limits)
    }

    /// Opens the database with the default [`Limits`], and runs `preparation` in the transaction of the migrations: at every opening, also
    /// when no migration is missing.
    ///
    /// # Errors
    /// As [`Store::open_with`], or the preparation's own: nothing is changed then.
    pub fn open_prepared(
        database: &Database,
        migrations: &[Migration],
        preparation: Preparation<'_>,
    ) -> Result<Store, StoreError> {
        Self::open_steps(database, &Steps { migrations, preparation: Some(preparation) }, Limits::default())
    }

    fn open_steps(database: &Database, steps: &Steps<'_>, limits: Limits) -> Result<Store, StoreError> {
        let engine = match database {
            Database::Sqlite { path } => Engine::Sqlite(sqlite::Engine::open(path, steps, limits)?),
            Database::Postgres { url, schema } => {
                Engine::Postgres(postgres::Engine::open(url, schema, steps, &limits)?)
            }
            Database::Held(held) => {
                held.database.memory.migrate(steps)?;
                Engine::Held(held.clone())
            }
        };
        Ok(Store { engine: Arc::new(engine) })
    }

    /// Makes true on disk what was deleted or replaced in rows: SQLite's file is written anew without it and the log emptied; on PostgreSQL
    /// every table of the schema is (`VACUUM (FULL, ANALYZE)`), on a connection of its own. Writers wait meanwhile, and on PostgreSQL
    /// readers too, some seconds for each gigabyte: it is for what must be gone, such as a key. What a server keeps besides its tables (its
    /// log, replicas, backups) is the server's business.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when somebody reads or writes without a pause, or on PostgreSQL still may see what was there before;
    /// [`StoreError::DiskFull`] without room for the new file.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        match &*self.engine {
            Engine::Sqlite(engine) => Box::pin(engine.scrub()).await,
            Engine::Postgres(engine) => Box::pin(engine.scrub()).await,
            Engine::Held(_) => Ok(()),
        }
    }

    /// Runs `job` in a transaction and answers after its commit is on disk. An `Err` or a panic rolls back this job
    /// and no other. `now_ms` (Unix milliseconds) is what [`Tx::now_ms`] says inside.
    ///
    /// The job is synchronous and runs on a thread of the store: no network calls inside. It runs to its commit even
    /// when the caller stops waiting.
    ///
    /// # Errors
    /// The job's own, or a [`StoreError`]: [`Busy`](StoreError::Busy) at once when the queue is full.
    pub async fn write<R, E>(
        &self,
        now_ms: i64,
        job: impl FnOnce(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = Work::pack(now_ms, job);
        match &*self.engine {
            Engine::Sqlite(engine) => engine.write(job)?,
            Engine::Postgres(engine) => engine.write(job)?,
            // On the heap: the futures of services that never meet it are no larger for it.
            Engine::Held(held) => Box::pin(held.database.memory.write(job, &*held.gate)).await?,
        }
        answer.await.unwrap_or_else(|_gone| Err(StoreError::closed().into()))
    }

    /// Runs `job` on one consistent snapshot of what is committed; it cannot write.
    ///
    /// On SQLite it runs on the calling task, because a point read (10 µs) is cheaper than a change of threads: keep
    /// it short, and give a long scan a thread of its own (`spawn_blocking`). On PostgreSQL it runs on a thread of the
    /// store.
    ///
    /// # Errors
    /// The job's own, or a [`StoreError`].
    pub async fn read<R, E>(&self, job: impl FnOnce(&mut Tx<'_>) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = Work::pack(0, job);
        match &*self.engine {
            Engine::Sqlite(engine) => engine.read(job).await?,
            Engine::Postgres(engine) => engine.read(job)?,
            Engine::Held(held) => Box::pin(held.database.memory.read(job, &*held.gate)).await?,
        }
        answer.await.unwrap_or_else(|_gone| Err(StoreError::closed().into()))
    }

    /// Finishes what was accepted, refuses what comes from now on (also through clones), and gives the database back:
    /// SQLite's log is folded into its file. A store that is dropped instead still finishes, but nobody waits for it.
    pub async fn close(self) {
        match &*self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
            Engine::Held(_) => {}
        }
    }
}
