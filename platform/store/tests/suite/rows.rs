//! Values come out as they went in, and a surprise is an error.

use store::{Cell, Param, Row, StoreError, params};

use crate::scratch::{add, add_one};

on_all! {
    async fn numbers_are_read_whatever_the_engine_calls_them(scratch: Scratch) {
        let store = scratch.open();
        store
            .write::<_, StoreError>(0, |tx| {
                add(tx, "a", 20_000)?;
                add(tx, "b", 9_000_000_000_000_000_000)?;
                let big = tx.query_opt("SELECT SUM(units) FROM stock WHERE product = ?1", params!["b"], |r| r.get_i64(0))?;
                assert_eq!(big, Some(9_000_000_000_000_000_000));
                let sql = "SELECT COUNT(*), SUM(units), MAX(units), 1, EXISTS (SELECT 1 FROM stock), ?1 + 1, AVG(units),
                    SUM(units) - 40000, CASE WHEN units > 1 THEN 1 ELSE 0 END
                    FROM stock WHERE product = 'a' GROUP BY units";
                tx.query_opt(sql, params![5_000_000_000_i64], |row| {
                    assert_eq!((row.get_i64(0)?, row.get_i64(1)?, row.get_i64(2)?), (1, 20_000, 20_000));
                    assert_eq!((row.get::<u32>(3)?, row.get::<bool>(4)?), (1, true));
                    assert_eq!(row.get_i64(5)?, 5_000_000_001);
                    assert!(matches!(row.cell(6)?, Cell::Int(20_000) | Cell::Real(_)));
                    assert_eq!((row.get_i64(7)?, row.get_i64(8)?), (-20_000, 1));
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    async fn a_missing_value_is_none_and_not_a_text(scratch: Scratch) {
        let store = scratch.open();
        let read = |row: &Row<'_>| {
            assert_eq!(row.get_opt_text(0)?, None);
            assert_eq!(row.get_opt_i64(1)?, Some(1));
            assert_eq!(row.get_str(2)?, "a");
            assert_eq!((row.columns(), row.name(2)), (3, "product"));
            assert!(matches!(row.get_text(0), Err(StoreError::Row { .. })));
            assert!(matches!(row.get_i64(2), Err(StoreError::Row { .. })));
            assert!(matches!(row.get::<bool>(7), Err(StoreError::Row { .. })));
            Ok(())
        };
        store
            .write::<_, StoreError>(0, move |tx| {
                let nothing: Option<&str> = None;
                let sql = "INSERT INTO stock (product, units, note) VALUES (?1, ?2, ?3)";
                tx.execute(sql, params!["a", true, nothing])?;
                tx.query_opt("SELECT note, units, product FROM stock", &[], read)
            })
            .await
            .unwrap();
    }

    async fn one_statement_takes_null_then_a_value(scratch: Scratch) {
        let store = scratch.open();
        store
            .write::<_, StoreError>(0, |tx| {
                let sql = "INSERT INTO stock (product, units, note) VALUES (?1, ?2, ?3)";
                tx.execute(sql, &[Param::Text("a"), Param::Int(1), Param::Null])?;
                tx.execute(sql, params!["b", 2, Some("x")])?;
                tx.execute(sql, params!["c", 3, None::<&str>])?;
                let notes = tx.query("SELECT note FROM stock ORDER BY product", &[], |row| row.get_opt_text(0))?;
                assert_eq!(notes, [None, Some("x".to_owned()), None]);
                Ok(())
            })
            .await
            .unwrap();
    }

    async fn a_mark_inside_a_literal_is_text(scratch: Scratch) {
        let store = scratch.open();
        let read = store.read::<_, StoreError>(|tx| {
            let sql = "SELECT 'it''s ?1' /* ?2 */, ?1 -- ?3";
            tx.query_opt(sql, params!["x"], |row| Ok((row.get_text(0)?, row.get_text(1)?)))
        });
        assert_eq!(read.await, Ok(Some(("it's ?1".to_owned(), "x".to_owned()))));
    }

    async fn two_rows_where_one_was_asked_for_is_an_error(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        add_one(&store, "b").await.unwrap();
        let sql = "SELECT product FROM stock";
        let answer = store.read::<_, StoreError>(move |tx| tx.query_opt(sql, &[], |row| row.get_text(0))).await;
        assert!(matches!(answer, Err(StoreError::Row { .. })), "{answer:?}");
        // The connection is as good as new.
        assert_eq!(crate::scratch::products(&store).await, ["a", "b"]);
    }

    async fn a_missing_parameter_is_an_error_and_not_a_null(scratch: Scratch) {
        let store = scratch.open();
        let sql = "INSERT INTO stock (product, units, note) VALUES (?1, ?2, ?3)";
        let answer = store.write(0, move |tx| tx.execute(sql, params!["a", 1])).await;
        assert!(matches!(answer, Err(StoreError::Sql { .. })), "{answer:?}");
    }

    async fn changed_rows_are_counted(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        add_one(&store, "b").await.unwrap();
        let changed = store.write::<_, StoreError>(0, |tx| {
            let all = tx.execute("UPDATE stock SET units = 5", &[])?;
            let none = tx.execute("DELETE FROM stock WHERE units = ?1", params![6])?;
            let returned = tx.query("UPDATE stock SET units = 7 RETURNING units", &[], |row| row.get_i64(0))?;
            Ok((all, none, returned))
        });
        assert_eq!(changed.await, Ok((2, 0, vec![7, 7])));
    }

    async fn a_persons_sql_reads_and_cannot_write(scratch: Scratch) {
        let store = scratch.open();
        add_one(&store, "a").await.unwrap();
        let ask = |sql: &'static str| {
            store.read::<_, StoreError>(move |tx| tx.query_dynamic(sql, &[], |row| row.get_text(0)))
        };
        assert_eq!(ask(" select product from stock").await, Ok(vec!["a".to_owned()]));
        for sql in [
            "DELETE FROM stock RETURNING product",
            "COMMIT",
            "WITH gone AS (SELECT 1) DELETE FROM stock RETURNING product",
            "SELECT 1; DELETE FROM stock",
            "-- c\nCOMMIT",
            "",
        ] {
            let answer = ask(sql).await;
            assert!(matches!(answer, Err(StoreError::Sql { .. })), "{sql}: {answer:?}");
        }
        assert_eq!(crate::scratch::products(&store).await, ["a"]);
    }
}
