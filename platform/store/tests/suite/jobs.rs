//! A job has all of its effect or none, and nobody else's.

use store::{Limits, StoreError, params};

use crate::scratch::{add, add_one, begun, gate, number, products};

on_both! {
    async fn a_write_is_read_back(scratch: Scratch) {
        let store = scratch.open();
        let answer: Result<u32, StoreError> = store.write(0, |tx| add(tx, "it's \"ünï\" ?1", 3).map(|()| 7)).await;
        assert_eq!(answer, Ok(7));
        assert_eq!(products(&store).await, ["it's \"ünï\" ?1"]);
    }

    async fn a_failed_job_has_no_effect(scratch: Scratch) {
        let store = scratch.open();
        let answer: Result<(), StoreError> = store
            .write(0, |tx| {
                add(tx, "lost", 1)?;
                Err(StoreError::Row { reason: "no".to_owned() })
            })
            .await;
        assert_eq!(answer, Err(StoreError::Row { reason: "no".to_owned() }));
        assert!(products(&store).await.is_empty());
    }

    async fn a_panicking_job_has_no_effect_and_the_store_lives_on(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let answer: Result<(), StoreError> = store
            .write(0, |tx| {
                add(tx, "lost", 1)?;
                panic!("out of {}", "luck")
            })
            .await;
        assert_eq!(answer, Err(StoreError::JobPanicked { message: "out of luck".to_owned() }));
        let read: Result<(), StoreError> = store.read(|_| panic!("again")).await;
        assert_eq!(read, Err(StoreError::JobPanicked { message: "again".to_owned() }));
        add_one(&store, "kept").await.unwrap();
        assert_eq!(products(&store).await, ["kept"]);
    }

    async fn a_panic_while_rows_are_read_is_contained(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        add_one(&store, "a").await.unwrap();
        let answer: Result<Vec<()>, StoreError> = store
            .write(0, |tx| tx.query("SELECT product FROM stock", &[], |_| panic!("in a row")))
            .await;
        assert!(matches!(answer, Err(StoreError::JobPanicked { .. })));
        add_one(&store, "b").await.unwrap();
        assert_eq!(products(&store).await, ["a", "b"]);
    }

    async fn a_swallowed_statement_error_still_rolls_back(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "first").await.unwrap();
        let answer: Result<(), StoreError> = store
            .write(0, |tx| {
                add(tx, "lost", 1)?;
                let again = add(tx, "first", 1);
                assert!(matches!(again, Err(StoreError::Constraint { .. })));
                assert_eq!(add(tx, "also lost", 1), again);
                Ok(())
            })
            .await;
        assert!(matches!(answer, Err(StoreError::Constraint { .. })), "{answer:?}");
        assert_eq!(products(&store).await, ["first"]);
    }

    async fn a_constraint_is_named_and_not_worth_trying_again(scratch: Scratch) {
        let store = scratch.open();
        for sql in [
            "INSERT INTO stock (product, units) VALUES ('a', -1)",
            "INSERT INTO stock (product, units) VALUES ('a', NULL)",
            "INSERT INTO lines (product) VALUES ('nobody has it')",
        ] {
            let error = store.write(0, move |tx| tx.execute(sql, &[])).await.unwrap_err();
            assert!(matches!(&error, StoreError::Constraint { what } if !what.is_empty()), "{error:?}");
            assert!(!error.is_transient());
        }
    }

    async fn the_time_is_the_callers_own(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let gate = gate(&store, |_| Ok(())).await;
        let early = begun(store.write::<_, StoreError>(111, |tx| Ok(tx.now_ms()))).await;
        let late = begun(store.write::<_, StoreError>(222, |tx| Ok(tx.now_ms()))).await;
        gate.open().await;
        assert_eq!((early.await, late.await), (Ok(111), Ok(222)));
    }

    async fn a_full_queue_is_busy_at_once_and_loses_nothing(scratch: Scratch) {
        let store = scratch.open_narrow(2);
        let gate = gate(&store, |_| Ok(())).await;
        let first = begun(add_one(&store, "a")).await;
        let second = begun(add_one(&store, "b")).await;
        let third = add_one(&store, "c").await.unwrap_err();
        assert!(matches!(third, StoreError::Busy { .. }) && third.is_transient(), "{third:?}");
        gate.open().await;
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(products(&store).await, ["a", "b"]);
    }

    async fn a_caller_that_went_away_still_commits(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let gate = gate(&store, |_| Ok(())).await;
        drop(begun(add_one(&store, "forgotten")).await);
        gate.open().await;
        store.close().await;
        assert_eq!(products(&scratch.open()).await, ["forgotten"]);
    }

    async fn close_finishes_what_was_accepted_and_refuses_the_rest(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let gate = gate(&store, |_| Ok(())).await;
        let accepted = begun(add_one(&store, "accepted")).await;
        let closing = begun(store.clone().close()).await;
        let late = add_one(&store, "late").await.unwrap_err();
        assert!(matches!(late, StoreError::Unavailable { .. }), "{late:?}");
        gate.open().await;
        accepted.await.unwrap();
        closing.await;
        let read = store.read::<(), StoreError>(|_| Ok(())).await;
        assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
        assert_eq!(products(&scratch.open()).await, ["accepted"]);
    }

    async fn what_was_answered_survives_without_a_close(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        std::mem::forget(store);
        assert_eq!(products(&scratch.open()).await, ["a"]);
    }

    async fn a_read_sees_only_what_is_committed(scratch: Scratch) {
        let store = scratch.open_with(Limits { postgres_connections: 2, ..Limits::default() });
        let gate = gate(&store, |tx| add(tx, "a", 1)).await;
        assert!(products(&store).await.is_empty());
        gate.open().await;
        assert_eq!(products(&store).await, ["a"]);
    }

    async fn a_read_stays_on_one_snapshot(scratch: Scratch) {
        let store = scratch.open();
        let writer = store.clone();
        let runtime = tokio::runtime::Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            runtime.block_on(writer.clone().read(move |tx| {
                let count = |tx: &mut store::Tx<'_>| {
                    tx.query_opt("SELECT COUNT(*) FROM stock", &[], |row| row.get_i64(0))
                };
                let before = count(tx)?;
                let (done, is_done) = std::sync::mpsc::channel();
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    done.send(runtime.block_on(add_one(&writer, "a"))).unwrap();
                });
                is_done.recv().unwrap()?;
                Ok::<_, StoreError>((before, count(tx)?))
            }))
        });
        assert_eq!(read.await.unwrap(), Ok((Some(0), Some(0))));
        assert_eq!(products(&store).await, ["a"]);
    }

    async fn a_read_cannot_write(scratch: Scratch) {
        let store = scratch.open();
        let answer = store.read(|tx| add(tx, "a", 1)).await;
        assert!(matches!(answer, Err(StoreError::Sql { .. })), "{answer:?}");
        assert!(products(&store).await.is_empty());
    }

    async fn writers_that_lock_one_key_never_interleave(scratch: Scratch) {
        let store = scratch.open();
        store.write(0, |tx| add(tx, "counter", 0)).await.unwrap();
        let mut tasks = Vec::new();
        for _ in 0..200 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store
                    .write::<_, StoreError>(0, |tx| {
                        tx.lock("counter")?;
                        let sql = "SELECT units FROM stock WHERE product = ?1";
                        let units = tx.query_opt(sql, params!["counter"], |row| row.get_i64(0))?.unwrap();
                        let sql = "UPDATE stock SET units = ?1 WHERE product = ?2";
                        tx.execute(sql, params![units + 1, "counter"])
                    })
                    .await
            }));
        }
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(1));
        }
        assert_eq!(number(&store, "SELECT units FROM stock").await, 200);
    }
}
