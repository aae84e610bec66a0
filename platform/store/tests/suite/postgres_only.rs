//! What only PostgreSQL can do to us: a connection that breaks, a server that is not there, a deadlock.

use std::time::Duration;

use store::{Database, Limits, Store, StoreError};

use crate::scratch::{MIGRATIONS, Scratch, add, add_one, begun, gate, products};

#[tokio::test]
async fn a_connection_that_breaks_in_a_job_is_unavailable_and_replaced() {
    let Some(scratch) = Scratch::postgres() else { return };
    let store = scratch.open_narrow(8);
    let answer = store.write::<(), StoreError>(0, |tx| {
        add(tx, "lost", 1)?;
        tx.query("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_| Ok(())).map(drop)
    });
    let error = answer.await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }) && error.is_transient(), "{error:?}");
    add_one(&store, "kept").await.unwrap();
    assert_eq!(products(&store).await, ["kept"]);
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_costs_no_job() {
    let Some(scratch) = Scratch::postgres() else { return };
    let store = scratch.open_narrow(8);
    let sql = "SELECT pg_backend_pid()";
    let pid =
        store.read::<_, StoreError>(move |tx| tx.query_opt(sql, &[], |row| row.get_i64(0))).await.unwrap().unwrap();
    let other = scratch.open_narrow(8);
    let kill = "SELECT pg_terminate_backend(CAST(?1 AS INTEGER))";
    other
        .write::<_, StoreError>(0, move |tx| tx.query(kill, store::params![i32::try_from(pid).unwrap()], |_| Ok(())))
        .await
        .unwrap();
    add_one(&store, "a").await.unwrap();
    assert_eq!(products(&store).await, ["a"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let database = Database::parse("postgres://nobody@127.0.0.1:1/none", "scratch").unwrap();
    let error = Store::open(&database, &[]).err().unwrap();
    assert!(matches!(error, StoreError::Unavailable { .. }) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_busy() {
    let Some(scratch) = Scratch::postgres() else { return };
    let limits = Limits { lock_wait: Duration::from_millis(20), ..Limits::default() };
    let store = scratch.open_with(limits);
    let gate = gate(&store, |tx| tx.lock("orders/1")).await;
    let waiting = store.write::<_, StoreError>(0, |tx| tx.lock("orders/1")).await;
    assert!(matches!(waiting, Err(StoreError::Busy { .. })), "{waiting:?}");
    store.write::<_, StoreError>(0, |tx| tx.lock("orders/2")).await.unwrap();
    gate.open().await;
    store.write::<_, StoreError>(0, |tx| tx.lock("orders/1")).await.unwrap();
}

#[tokio::test]
async fn schemas_do_not_wait_for_each_others_locks() {
    let (Some(one), Some(two)) = (Scratch::postgres(), Scratch::postgres()) else { return };
    let (one, two) = (one.open(), two.open());
    let gate = gate(&one, |tx| tx.lock("orders/1")).await;
    two.write::<_, StoreError>(0, |tx| tx.lock("orders/1")).await.unwrap();
    gate.open().await;
}

#[tokio::test]
async fn jobs_run_side_by_side() {
    let Some(scratch) = Scratch::postgres() else { return };
    let store = scratch.open();
    let first = gate(&store, |tx| add(tx, "a", 1)).await;
    let second = gate(&store, |tx| add(tx, "b", 1)).await;
    let third = begun(add_one(&store, "c")).await;
    third.await.unwrap();
    second.open().await;
    first.open().await;
    assert_eq!(products(&store).await, ["a", "b", "c"]);
}

/// Whether the bytes of a table, as the server has them on disk, hold a word.
fn is_on_disk(scratch: &Scratch, word: &str) -> bool {
    let Database::Postgres { url, schema } = &scratch.database else { panic!("not PostgreSQL") };
    let (url, word, table) = (url.clone(), word.to_owned(), format!("\"{schema}\".stock"));
    // The client may not block a thread of an async runtime.
    let look = move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.batch_execute("CHECKPOINT").unwrap();
        let sql = "SELECT position(convert_to($1, 'UTF8') IN pg_read_binary_file(pg_relation_filepath($2::TEXT::regclass))) > 0";
        client.query_one(sql, &[&word, &table]).unwrap().get(0)
    };
    std::thread::spawn(look).join().unwrap()
}

async fn with_an_erased_note(scratch: &Scratch, limits: Limits) -> Store {
    let store = scratch.open_with(limits);
    store.write(0, |tx| add(tx, "desk", 1)).await.unwrap();
    for sql in ["UPDATE stock SET note = 'for Zebulon'", "UPDATE stock SET note = 'for [erased]'"] {
        store.write::<_, StoreError>(0, move |tx| tx.execute(sql, &[])).await.unwrap();
    }
    assert!(is_on_disk(scratch, "Zebulon"), "an old version of the row is what this is about");
    store
}

#[tokio::test]
async fn what_was_replaced_is_in_no_page_after_a_scrub() {
    let Some(scratch) = Scratch::postgres() else { return };
    let store = with_an_erased_note(&scratch, Limits::default()).await;
    store.scrub().await.unwrap();
    assert!(!is_on_disk(&scratch, "Zebulon") && is_on_disk(&scratch, "[erased]"));
    assert_eq!(products(&store).await, ["desk"]);
}

#[tokio::test]
async fn a_scrub_is_busy_while_somebody_still_sees_what_was_there_before() {
    let Some(scratch) = Scratch::postgres() else { return };
    let limits = Limits { lock_wait: Duration::from_millis(50), ..Limits::default() };
    let store = with_an_erased_note(&scratch, limits).await;
    let other = scratch.open();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let (looks, has_looked) = std::sync::mpsc::channel::<()>();
    let looking = begun(other.read::<_, StoreError>(move |tx| {
        tx.query("SELECT note FROM stock", &[], |_| Ok(()))?;
        looks.send(()).unwrap();
        may_go.recv().unwrap();
        Ok(())
    }))
    .await;
    has_looked.recv().unwrap();
    let busy = store.scrub().await;
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    go.send(()).unwrap();
    looking.await.unwrap();
    // Other tests' transactions may be under way: they end.
    scratch.open().scrub().await.unwrap();
    assert!(!is_on_disk(&scratch, "Zebulon"));
}

#[tokio::test]
async fn what_a_preparation_left_behind_is_in_no_page_once_it_is_open() {
    let Some(scratch) = Scratch::postgres() else { return };
    with_an_erased_note(&scratch, Limits::default()).await.close().await;
    Store::open_prepared(&scratch.database, MIGRATIONS, &|_| Ok(true)).unwrap().close().await;
    assert!(!is_on_disk(&scratch, "Zebulon"));
}
