//! What only a database in memory does: outlive its stores, come back to a kept state, and go wrong where its gate says so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;

use store::{Fate, Gate, HeldDatabase, OpenGate, Store, StoreError, Tx};

use crate::scratch::{MIGRATIONS, add, add_one, number, products};

/// A gate that does what it is told, once.
#[derive(Default)]
struct Told {
    fate: Mutex<Option<Fate>>,
    leave: Mutex<Option<Result<bool, StoreError>>>,
    /// Written after a job was undone.
    note: Mutex<Option<&'static str>>,
}

impl Gate for Told {
    fn enter(&self) -> Fate {
        self.fate.lock().unwrap().take().unwrap_or(Fate::Runs)
    }

    fn leave(&self, _: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError> {
        self.leave.lock().unwrap().take().unwrap_or(Ok(keeps))
    }

    fn undone(&self, tx: &mut Tx<'_>) {
        if let Some(product) = self.note.lock().unwrap().take() {
            add(tx, product, 1).unwrap();
        }
    }

    fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

fn open(database: &HeldDatabase, gate: Arc<dyn Gate>) -> Store {
    Store::open(&database.through(gate), MIGRATIONS).unwrap()
}

#[tokio::test]
async fn a_database_outlives_its_stores_and_is_migrated_once() {
    let database = HeldDatabase::new().unwrap();
    let store = open(&database, Arc::new(OpenGate));
    add_one(&store, "kept").await.unwrap();
    let migrated = number(&store, "SELECT COUNT(*) FROM schema_migrations").await;
    drop(store);
    let store = open(&database, Arc::new(OpenGate));
    assert_eq!(products(&store).await, ["kept"]);
    assert_eq!(number(&store, "SELECT COUNT(*) FROM schema_migrations").await, migrated);
}

#[tokio::test]
async fn a_kept_state_comes_back_exactly() {
    let database = HeldDatabase::new().unwrap();
    let store = open(&database, Arc::new(OpenGate));
    add_one(&store, "first").await.unwrap();
    database.keep().unwrap();
    let insert = "INSERT INTO lines (product) VALUES ('first')";
    for _ in 0..2 {
        add_one(&store, "second").await.unwrap();
        store.write::<_, StoreError>(0, move |tx| tx.execute(insert, &[])).await.unwrap();
        assert_eq!(number(&store, "SELECT MAX(seq) FROM lines").await, 1);
        database.restore().unwrap();
        assert_eq!(products(&store).await, ["first"]);
    }
}

#[tokio::test]
async fn a_refused_job_does_not_run_and_says_why() {
    let gate = Arc::new(Told::default());
    let store = open(&HeldDatabase::new().unwrap(), Arc::clone(&gate) as _);
    let busy = StoreError::Busy { reason: "told".to_owned() };
    *gate.fate.lock().unwrap() = Some(Fate::Refused(busy.clone()));
    assert_eq!(add_one(&store, "lost").await, Err(busy));
    assert!(products(&store).await.is_empty());
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_and_says_why() {
    let gate = Arc::new(Told::default());
    let store = open(&HeldDatabase::new().unwrap(), Arc::clone(&gate) as _);
    let full = StoreError::DiskFull { reason: "told".to_owned() };
    *gate.leave.lock().unwrap() = Some(Err(full.clone()));
    *gate.note.lock().unwrap() = Some("afterwards");
    assert_eq!(add_one(&store, "lost").await, Err(full));
    assert_eq!(products(&store).await, ["afterwards"]);
}

#[tokio::test]
async fn a_job_of_a_dead_process_never_runs_and_never_answers() {
    let gate = Arc::new(Told::default());
    let database = HeldDatabase::new().unwrap();
    let store = open(&database, Arc::clone(&gate) as _);
    *gate.fate.lock().unwrap() = Some(Fate::Never);
    tokio::select! {
        biased;
        answer = add_one(&store, "lost") => panic!("{answer:?}"),
        () = tokio::task::yield_now() => {}
    }
    assert!(products(&open(&database, Arc::new(OpenGate))).await.is_empty());
}

#[tokio::test]
async fn a_read_of_it_cannot_write() {
    let store = open(&HeldDatabase::new().unwrap(), Arc::new(OpenGate));
    let refused: Result<(), StoreError> = store.read(|tx| add(tx, "lost", 1)).await;
    assert!(refused.is_err());
    assert!(products(&store).await.is_empty());
    add_one(&store, "kept").await.unwrap();
}
