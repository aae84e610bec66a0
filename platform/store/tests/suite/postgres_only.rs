//! What only PostgreSQL can do to us: a connection that breaks, a server that is not there, a deadlock.

use std::time::Duration;

use store::{Database, Limits, Store, StoreError};

use crate::scratch::{Scratch, add, add_one, begun, gate, products};

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
