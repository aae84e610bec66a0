//! Jobs that wait together are committed together, and fail apart.

use store::{Limits, StoreError};

use crate::scratch::{add, add_one, begun, gate, products};

on_both! {
    async fn a_failed_job_leaves_its_neighbours_alone(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let gate = gate(&store, |tx| add(tx, "first", 1)).await;
        let before = begun(add_one(&store, "before")).await;
        let refused = begun(store.write::<(), StoreError>(0, |tx| {
            add(tx, "lost", 1)?;
            add(tx, "first", 1)
        }))
        .await;
        let panicked = begun(store.write::<(), StoreError>(0, |tx| {
            add(tx, "lost too", 1)?;
            panic!("in a group")
        }))
        .await;
        let after = begun(add_one(&store, "after")).await;
        gate.open().await;
        assert_eq!((before.await, after.await), (Ok(()), Ok(())));
        assert!(matches!(refused.await, Err(StoreError::Constraint { .. })));
        assert!(matches!(panicked.await, Err(StoreError::JobPanicked { .. })));
        assert_eq!(products(&store).await, ["after", "before", "first"]);
    }

    async fn a_first_job_that_fails_leaves_the_rest_alone(scratch: Scratch) {
        let store = scratch.open_narrow(8);
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let failed = begun(store.write::<(), StoreError>(0, move |tx| {
            add(tx, "lost", 1)?;
            may_go.recv().unwrap();
            Err(StoreError::Row { reason: "no".to_owned() })
        }))
        .await;
        let kept = begun(add_one(&store, "kept")).await;
        let also_kept = begun(add_one(&store, "lost")).await;
        go.send(()).unwrap();
        assert!(failed.await.is_err());
        assert_eq!((kept.await, also_kept.await), (Ok(()), Ok(())));
        assert_eq!(products(&store).await, ["kept", "lost"]);
    }

    async fn a_group_survives_reopening(scratch: Scratch) {
        let store = scratch.open();
        let names: [&'static str; 5] = ["a", "b", "c", "d", "e"];
        let (a, b, c, d, e) = tokio::join!(
            add_one(&store, names[0]),
            add_one(&store, names[1]),
            add_one(&store, names[2]),
            add_one(&store, names[3]),
            add_one(&store, names[4]),
        );
        assert!([a, b, c, d, e].iter().all(Result::is_ok));
        store.close().await;
        assert_eq!(products(&scratch.open()).await, names);
    }

    async fn small_groups_commit_everything_too(scratch: Scratch) {
        let limits = Limits { group_jobs: 2, group_changes: 1, postgres_connections: 1, ..Limits::default() };
        let store = scratch.open_with(limits);
        let gate = gate(&store, |_| Ok(())).await;
        let mut waiting = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            waiting.push(begun(add_one(&store, name)).await);
        }
        gate.open().await;
        for job in waiting {
            job.await.unwrap();
        }
        assert_eq!(products(&store).await.len(), 7);
    }
}
