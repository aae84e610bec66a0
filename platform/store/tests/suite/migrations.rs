//! A step is applied once, and tables that do not fit the program are left alone.

use store::{Migration, Store, StoreError};

use crate::scratch::{MIGRATIONS, add_one, number, products};

const SECOND: Migration =
    Migration { version: 2, name: "shelves", sql: "CREATE TABLE shelves (name TEXT PRIMARY KEY)" };

fn refused(answer: Result<Store, StoreError>, because: &str) {
    match answer {
        Err(StoreError::Migration { reason }) => assert!(reason.contains(because), "{reason}"),
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it was accepted"),
    }
}

on_both! {
    async fn steps_are_applied_once_and_data_stays(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        store.close().await;
        let store = Store::open(&scratch.database, &[MIGRATIONS[0], SECOND]).unwrap();
        assert_eq!(products(&store).await, ["a"]);
        assert_eq!(number(&store, "SELECT COUNT(*) FROM shelves").await, 0);
        assert_eq!(number(&store, "SELECT COUNT(*) FROM schema_migrations WHERE part = 'service'").await, 2);
        store.close().await;
        Store::open(&scratch.database, &[MIGRATIONS[0], SECOND]).unwrap().close().await;
    }

    async fn an_edited_step_is_refused(scratch: Scratch) {
        scratch.open().close().await;
        let edited = Migration { sql: "CREATE TABLE stock (product TEXT)", ..MIGRATIONS[0] };
        refused(Store::open(&scratch.database, &[edited]), "edited");
    }

    async fn a_newer_database_is_refused(scratch: Scratch) {
        Store::open(&scratch.database, &[MIGRATIONS[0], SECOND]).unwrap().close().await;
        refused(Store::open(&scratch.database, MIGRATIONS), "version 2");
    }

    async fn a_step_before_an_applied_one_is_refused(scratch: Scratch) {
        Store::open(&scratch.database, &[SECOND]).unwrap().close().await;
        refused(Store::open(&scratch.database, &[MIGRATIONS[0], SECOND]), "stock");
    }

    async fn steps_out_of_order_are_refused(scratch: Scratch) {
        refused(Store::open(&scratch.database, &[SECOND, MIGRATIONS[0]]), "ascending");
    }

    async fn a_deferred_constraint_is_refused(scratch: Scratch) {
        let sql = "CREATE TABLE t (p TEXT REFERENCES stock (product) deferrable initially deferred)";
        refused(Store::open(&scratch.database, &[Migration { sql, ..SECOND }]), "DEFERRABLE");
    }

    async fn a_step_that_fails_leaves_nothing(scratch: Scratch) {
        let broken = Migration { version: 2, name: "broken", sql: "CREATE TABLE half (a TEXT); CREATE TABLE stock (a TEXT)" };
        let answer = Store::open(&scratch.database, &[MIGRATIONS[0], broken]).err();
        assert!(matches!(answer, Some(StoreError::Sql { .. })), "{answer:?}");
        let half = Migration { version: 1, name: "half", sql: "CREATE TABLE half (a TEXT)" };
        Store::open(&scratch.database, &[half]).unwrap().close().await;
    }

    async fn instances_that_start_together_migrate_once(scratch: Scratch) {
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let database = scratch.database.clone();
                tokio::task::spawn_blocking(move || Store::open(&database, MIGRATIONS))
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap().close().await;
        }
    }

    async fn a_serial_key_is_never_used_twice(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        let mut keys = Vec::new();
        for _ in 0..2 {
            let key = store.write::<_, StoreError>(0, |tx| {
                let sql = "INSERT INTO lines (product) VALUES ('a') RETURNING seq";
                let key = tx.query_opt(sql, &[], |row| row.get_i64(0))?;
                tx.execute("DELETE FROM lines", &[])?;
                Ok(key)
            });
            keys.push(key.await.unwrap().unwrap());
        }
        assert!(keys[0] < keys[1], "{keys:?}");
    }
}
