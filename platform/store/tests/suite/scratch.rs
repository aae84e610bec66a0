//! A database for one test, and ways to stop time in it.

use std::env;
use std::future::poll_fn;
use std::pin::Pin;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;

use store::{Database, HeldDatabase, Limits, Migration, OpenGate, Param, Store, StoreError, Tx, params};
use tempfile::TempDir;

/// The service's tables in these tests.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "stock",
    sql: "CREATE TABLE stock (product TEXT PRIMARY KEY, units BIGINT NOT NULL CHECK (units >= 0), note TEXT);
          CREATE TABLE lines (seq {serial_key}, product TEXT NOT NULL REFERENCES stock (product));",
}];

/// Makes of each `async fn name(scratch: Scratch)` a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($scratch:ident: Scratch) $body:block)*) => {
        $($(#[$doc])* async fn $name($scratch: $crate::scratch::Scratch) $body)*

        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::scratch::Scratch::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(scratch) = $crate::scratch::Scratch::postgres() {
                    super::$name(scratch).await;
                }
            })*
        }
    };
}

/// As `on_both!`, and on a database that a simulation holds: for tests in which no job waits for another.
macro_rules! on_all {
    ($($(#[$doc:meta])* async fn $name:ident($scratch:ident: Scratch) $body:block)*) => {
        on_both! { $($(#[$doc])* async fn $name($scratch: Scratch) $body)* }

        mod held {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::scratch::Scratch::held()).await;
            })*
        }
    };
}

/// A database of its own, gone when the test ends.
pub struct Scratch {
    pub database: Database,
    folder: Option<TempDir>,
}

impl Scratch {
    pub fn sqlite() -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::parse(&format!("sqlite:{}", folder.path().display()), "scratch").unwrap();
        Scratch { database, folder: Some(folder) }
    }

    pub fn held() -> Scratch {
        Scratch { database: HeldDatabase::new().unwrap().through(Arc::new(OpenGate)), folder: None }
    }

    /// `None`: there is no server, and the environment does not ask for one.
    pub fn postgres() -> Option<Scratch> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = env::var("BOUTIQUE_TEST_POSTGRES") else {
            let required = env::var("BOUTIQUE_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "BOUTIQUE_REQUIRE_POSTGRES=1, but BOUTIQUE_TEST_POSTGRES is not set");
            eprintln!("skipped: BOUTIQUE_TEST_POSTGRES is not set");
            return None;
        };
        let owner = format!("scratch-{}-{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Some(Scratch { database: Database::parse(&url, &owner).unwrap(), folder: None })
    }

    pub fn open(&self) -> Store {
        self.open_with(Limits::default())
    }

    pub fn open_with(&self, limits: Limits) -> Store {
        Store::open_with(&self.database, MIGRATIONS, limits).unwrap()
    }

    /// A store on which one job at a time runs, with a queue of `queued_jobs`.
    pub fn open_narrow(&self, queued_jobs: usize) -> Store {
        self.open_with(Limits { queued_jobs, postgres_connections: 1, ..Limits::default() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let (Database::Postgres { url, schema }, None) = (&self.database, &self.folder) {
            let (url, drop_schema) = (url.clone(), format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"));
            let dropped = std::thread::spawn(move || {
                postgres::Client::connect(&url, postgres::NoTls)
                    .and_then(|mut client| client.batch_execute(&drop_schema))
            });
            // The server may be gone with the test run; what is left is a schema in a throw-away cluster.
            let _ = dropped.join();
        }
    }
}

/// Polls `future` once, so that its job is in the queue, and hands it back.
pub async fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "the store answered before its turn");
        Poll::Ready(())
    })
    .await;
    future
}

/// A job that is running and will not end until it is let go.
pub struct Gate<F> {
    go: mpsc::Sender<()>,
    job: Pin<Box<F>>,
}

impl<F: Future<Output = Result<(), StoreError>>> Gate<F> {
    /// Lets the job end, and waits for its commit.
    pub async fn open(self) {
        self.go.send(()).unwrap();
        self.job.await.unwrap();
    }

    /// Lets the job end.
    pub fn unlock(&self) {
        self.go.send(()).unwrap();
    }

    /// Waits for the job's answer.
    pub async fn answer(self) -> Result<(), StoreError> {
        self.job.await
    }
}

/// Runs `first` in a job and holds the job there.
pub async fn gate(
    store: &Store,
    first: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Gate<impl Future<Output = Result<(), StoreError>>> {
    let (started, has_started) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let store = store.clone();
    let job = begun(async move {
        store
            .write(0, move |tx| {
                first(tx)?;
                started.send(()).unwrap();
                may_go.recv().unwrap();
                Ok(())
            })
            .await
    })
    .await;
    has_started.recv().unwrap();
    Gate { go, job }
}

pub fn add(tx: &mut Tx<'_>, product: &str, units: i64) -> Result<(), StoreError> {
    tx.execute("INSERT INTO stock (product, units) VALUES (?1, ?2)", params![product, units]).map(|_| ())
}

/// Adds one product in a job of its own.
pub async fn add_one(store: &Store, product: &'static str) -> Result<(), StoreError> {
    store.write(0, move |tx| add(tx, product, 1)).await
}

/// The products there are, by name.
pub async fn products(store: &Store) -> Vec<String> {
    let sql = "SELECT product FROM stock ORDER BY product";
    store.read::<_, StoreError>(move |tx| tx.query(sql, &[], |row| row.get_text(0))).await.unwrap()
}

/// The one integer that `sql` answers.
pub async fn number(store: &Store, sql: &'static str) -> i64 {
    let none: &[Param<'_>] = &[];
    store.read::<_, StoreError>(move |tx| tx.query_opt(sql, none, |row| row.get_i64(0))).await.unwrap().unwrap()
}
