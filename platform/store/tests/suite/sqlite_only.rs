//! What only SQLite can do to us: a full disk, a second process, a commit that fails for a whole group.

use std::sync::Barrier;
use std::time::Duration;

use rusqlite::Connection;
use store::{Database, Limits, Store, StoreError, Tx, params};

use crate::scratch::{MIGRATIONS, Scratch, add, add_one, begun, gate, products};

fn connect(scratch: &Scratch) -> Connection {
    let Database::Sqlite { path } = &scratch.database else { panic!("not SQLite") };
    Connection::open(path).unwrap()
}

fn set_room(tx: &mut Tx<'_>, pages: &str) -> Result<(), StoreError> {
    // A PRAGMA takes no parameters; these are the two this file uses.
    match pages {
        "little" => tx.query("PRAGMA max_page_count = 20", &[], |_| Ok(())).map(drop),
        _ => tx.query("PRAGMA max_page_count = 100000", &[], |_| Ok(())).map(drop),
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_whole_group_and_nothing_after_it() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    store.write(0, |tx| set_room(tx, "little")).await.unwrap();
    let gate = gate(&store, |tx| add(tx, "neighbour", 1)).await;
    let big = begun(store.write::<_, StoreError>(0, |tx| {
        let note = "x".repeat(1_000_000);
        tx.execute("INSERT INTO stock (product, units, note) VALUES ('big', 1, ?1)", params![&note])
    }))
    .await;
    gate.unlock();
    let error = big.await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_transient(), "{error:?}");
    // SQLite undid the whole transaction, so its neighbour must not hear that all is well.
    let neighbour = gate.answer().await;
    assert!(matches!(neighbour, Err(StoreError::DiskFull { .. })), "{neighbour:?}");
    assert!(products(&store).await.is_empty());
    store.write(0, |tx| set_room(tx, "enough")).await.unwrap();
    add_one(&store, "later").await.unwrap();
    assert_eq!(products(&store).await, ["later"]);
}

#[tokio::test]
async fn a_job_that_hides_a_full_disk_is_not_half_committed() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    store.write(0, |tx| set_room(tx, "little")).await.unwrap();
    let answer = store
        .write::<(), StoreError>(0, |tx| {
            add(tx, "before", 1)?;
            let note = "x".repeat(1_000_000);
            let sql = "INSERT INTO stock (product, units, note) VALUES ('big', 1, ?1)";
            assert!(tx.execute(sql, params![&note]).is_err());
            assert!(add(tx, "after", 1).is_err());
            Ok(())
        })
        .await;
    assert!(matches!(answer, Err(StoreError::DiskFull { .. })), "{answer:?}");
    assert!(products(&store).await.is_empty());
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_everybody_and_leaves_nothing() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    let gate = gate(&store, |tx| add(tx, "neighbour", 1)).await;
    let orphan = begun(store.write::<_, StoreError>(0, |tx| {
        tx.execute("PRAGMA defer_foreign_keys = ON", &[])?;
        tx.execute("INSERT INTO lines (product) VALUES ('nobody has it')", &[])
    }))
    .await;
    let failed = begun(store.write::<(), StoreError>(0, |_| Err(StoreError::Row { reason: "own".to_owned() }))).await;
    gate.unlock();
    for answer in [gate.answer().await, orphan.await.map(|_| ()), failed.await] {
        assert!(matches!(answer, Err(StoreError::Constraint { .. })), "{answer:?}");
    }
    assert!(products(&store).await.is_empty());
    add_one(&store, "later").await.unwrap();
    assert_eq!(products(&store).await, ["later"]);
}

#[tokio::test]
async fn a_file_locked_by_another_process_is_busy_and_then_not() {
    let scratch = Scratch::sqlite();
    let store = scratch.open_with(Limits { lock_wait: Duration::from_millis(20), ..Limits::default() });
    let other = connect(&scratch);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = add_one(&store, "a").await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert!(products(&store).await.is_empty(), "readers go on");
    let limits = Limits { lock_wait: Duration::from_millis(20), ..Limits::default() };
    let second = Store::open_with(&scratch.database, MIGRATIONS, limits);
    assert!(matches!(second.err(), Some(StoreError::Busy { .. })));
    other.execute_batch("ROLLBACK").unwrap();
    add_one(&store, "a").await.unwrap();
    assert_eq!(products(&store).await, ["a"]);
}

#[tokio::test]
async fn jobs_that_wait_together_are_committed_at_once() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    let gate = gate(&store, |tx| add(tx, "a", 1)).await;
    let (b, c) = (begun(add_one(&store, "b")).await, begun(add_one(&store, "c")).await);
    let other = connect(&scratch);
    let version = || other.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let frames = || std::fs::metadata(path_of(&scratch, "-wal")).unwrap().len();
    let (version_before, frames_before) = (version(), frames());
    gate.open().await;
    b.await.unwrap();
    c.await.unwrap();
    assert_ne!(version(), version_before);
    // Three commits would write the table's two pages three times; a frame is a page of 4,096 bytes and 24 more.
    assert!(frames() - frames_before <= 4 * (4_096 + 24), "{} bytes", frames() - frames_before);
}

#[tokio::test]
async fn close_folds_the_log_into_the_file() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    add_one(&store, "a").await.unwrap();
    assert_eq!(products(&store).await, ["a"]);
    // Another process that has the file open keeps SQLite from tidying up by itself.
    let other = connect(&scratch);
    other.query_row("SELECT COUNT(*) FROM stock", [], |row| row.get::<_, i64>(0)).unwrap();
    store.close().await;
    assert_eq!(std::fs::metadata(path_of(&scratch, "-wal")).unwrap().len(), 0);
}

#[tokio::test]
async fn more_readers_than_connections_take_turns() {
    let scratch = Scratch::sqlite();
    let store = scratch.open_with(Limits { readers: 1, ..Limits::default() });
    add_one(&store, "a").await.unwrap();
    let reads: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { products(&store).await })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap(), ["a"]);
    }
}

/// Some of the locks taken while a file is opened or closed are ones that SQLite does not wait for by itself.
#[test]
fn a_file_is_opened_and_closed_by_many_at_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    for _ in 0..20 {
        let scratch = Scratch::sqlite();
        let together = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    for _ in 0..3 {
                        runtime.block_on(scratch.open().close());
                    }
                });
            }
        });
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_unavailable() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let database = Database::Sqlite { path: folder.path().join("below/a.db") };
    assert!(matches!(Store::open(&database, &[]).err(), Some(StoreError::Unavailable { .. })));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "this is a letter, not a database. ".repeat(100)).unwrap();
    let before = std::fs::read(file.path()).unwrap();
    let answer = Store::open(&Database::Sqlite { path: file.path().to_owned() }, &[]).err();
    assert!(matches!(answer, Some(StoreError::Sql { .. })), "{answer:?}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
}

/// Without these plans every event would cost more the older the database grows.
#[tokio::test]
async fn the_hot_queries_use_their_indexes() {
    let scratch = Scratch::sqlite();
    scratch.open().close().await;
    let connection = connect(&scratch);
    for (sql, index) in [
        ("SELECT seq, data FROM outbox WHERE sent_at_ms IS NULL AND seq > 5 ORDER BY seq LIMIT 10", "outbox_unsent"),
        ("SELECT created_at_ms FROM outbox WHERE sent_at_ms IS NULL ORDER BY seq LIMIT 1", "outbox_unsent"),
        ("SELECT COUNT(*) FROM outbox WHERE sent_at_ms IS NULL", "outbox_unsent"),
        ("SELECT seq FROM outbox WHERE subject = 'a' ORDER BY seq", "outbox_subject"),
        ("SELECT id FROM inbox WHERE subject = 'a' ORDER BY seq", "inbox_subject"),
        ("UPDATE outbox SET sent_at_ms = 1 WHERE seq = 2 AND sent_at_ms IS NULL", "PRIMARY KEY"),
        ("UPDATE outbox SET sent_at_ms = 1 WHERE sent_at_ms IS NULL AND seq IN (2, 3, 4)", "SEARCH"),
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let plan = plan.join("; ");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

fn path_of(scratch: &Scratch, suffix: &str) -> std::path::PathBuf {
    let Database::Sqlite { path } = &scratch.database else { panic!("not SQLite") };
    let mut name = path.clone().into_os_string();
    name.push(suffix);
    name.into()
}
