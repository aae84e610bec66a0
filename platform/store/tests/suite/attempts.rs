//! Failures are counted per consumer and event.

use store::StoreError;
use store::attempts::{self, Attempt};

const ATTEMPT: Attempt<'static> = Attempt {
    consumer: "accounting.issue-invoice",
    event_id: "e1",
    event_type: "invoice_requested",
    kind: "transient",
    code: "edge_down",
    fingerprint: "f00d",
    reason: "crm answered 503",
    subject: "orders/O1",
    at_ms: 1,
};

on_all! {
    async fn attempts_count_up_per_consumer_and_event(scratch: Scratch) {
        let store = scratch.open();
        let record = |attempt: Attempt<'static>| store.write::<_, StoreError>(0, move |tx| attempts::record(tx, &attempt));
        assert_eq!(record(ATTEMPT).await, Ok(1));
        assert_eq!(record(Attempt { kind: "permanent", at_ms: 2, ..ATTEMPT }).await, Ok(2));
        assert_eq!(record(Attempt { event_id: "e2", ..ATTEMPT }).await, Ok(1));
        assert_eq!(record(Attempt { consumer: "oms.follow", ..ATTEMPT }).await, Ok(1));
        let of_event = store.read(|tx| attempts::of_event(tx, ATTEMPT.consumer, "e1", 0, 100)).await.unwrap();
        let told: Vec<_> = of_event.iter().map(|a| (a.number, a.kind.as_str(), a.at_ms)).collect();
        assert_eq!(told, [(1, "transient", 1), (2, "permanent", 2)]);
        assert_eq!(of_event[0].reason, "crm answered 503");
        assert_eq!(store.read(|tx| attempts::count(tx, ATTEMPT.consumer, "e1")).await, Ok(2));
        assert_eq!(store.read(|tx| attempts::count(tx, ATTEMPT.consumer, "e9")).await, Ok(0));
    }

    async fn failures_are_found_by_event_by_order_and_in_pages(scratch: Scratch) {
        let store = scratch.open();
        let record = |attempt: Attempt<'static>| store.write::<_, StoreError>(0, move |tx| attempts::record(tx, &attempt));
        for at_ms in 1..=3 {
            record(Attempt { at_ms, ..ATTEMPT }).await.unwrap();
        }
        record(Attempt { event_id: "e2", at_ms: 4, ..ATTEMPT }).await.unwrap();
        record(Attempt { event_id: "e3", subject: "orders/O2", at_ms: 5, ..ATTEMPT }).await.unwrap();
        let first = store.read(|tx| attempts::of_event(tx, ATTEMPT.consumer, "e1", 0, 1)).await.unwrap();
        let after = first[0].seq;
        let second = store.read(move |tx| attempts::of_event(tx, ATTEMPT.consumer, "e1", after, 1)).await.unwrap();
        assert_eq!(second.iter().map(|a| a.number).collect::<Vec<_>>(), [2]);
        let first = store.read(|tx| attempts::of_subject(tx, "orders/O1", 0, 3)).await.unwrap();
        assert_eq!(first.len(), 3);
        let after = first[2].seq;
        let rest = store.read(move |tx| attempts::of_subject(tx, "orders/O1", after, 3)).await.unwrap();
        assert_eq!(rest.iter().map(|a| a.event_id.as_str()).collect::<Vec<_>>(), ["e2"]);
        let last = store.read(|tx| attempts::last(tx, ATTEMPT.consumer, "e1")).await.unwrap();
        assert_eq!(last.map(|a| (a.number, a.at_ms, a.subject)), Some((3, 3, "orders/O1".to_owned())));
        assert_eq!(store.read(|tx| attempts::last(tx, ATTEMPT.consumer, "e9")).await, Ok(None));
    }

    async fn failures_side_by_side_get_numbers_of_their_own(scratch: Scratch) {
        let store = scratch.open();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.write::<_, StoreError>(0, |tx| attempts::record(tx, &ATTEMPT)).await })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap().unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    }

    async fn a_long_reason_is_cut_between_characters(scratch: Scratch) {
        let store = scratch.open();
        let reason = "ü".repeat(5_000);
        store.write(0, move |tx| attempts::record(tx, &Attempt { reason: &reason, ..ATTEMPT })).await.unwrap();
        let told = store.read(|tx| attempts::of_event(tx, ATTEMPT.consumer, "e1", 0, 100)).await.unwrap();
        assert_eq!(told[0].reason, "ü".repeat(1_000));
    }

    async fn an_unknown_kind_is_refused(scratch: Scratch) {
        let store = scratch.open();
        let answer = store.write(0, |tx| attempts::record(tx, &Attempt { kind: "odd", ..ATTEMPT })).await;
        assert!(matches!(answer, Err(StoreError::Constraint { .. })), "{answer:?}");
    }

    async fn a_purge_takes_old_failures(scratch: Scratch) {
        let store = scratch.open();
        for at_ms in 1..=5 {
            store.write(0, move |tx| attempts::record(tx, &Attempt { at_ms, ..ATTEMPT })).await.unwrap();
        }
        assert_eq!(store.write::<_, StoreError>(0, |tx| attempts::purge(tx, 4, 10)).await, Ok(3));
        let told = store.read(|tx| attempts::of_event(tx, ATTEMPT.consumer, "e1", 0, 100)).await.unwrap();
        assert_eq!(told.iter().map(|a| a.number).collect::<Vec<_>>(), [4, 5]);
    }
}
