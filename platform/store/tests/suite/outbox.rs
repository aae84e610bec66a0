//! What is said leaves in order, once, and only if it was committed.

use store::outbox::{self, NewRow, OutboxRow};
use store::{Store, StoreError};

const ROW: NewRow<'static> = NewRow {
    topic: "order-events",
    key: "1",
    attributes: r#"{"ce-id":"e1"}"#,
    data: r#"{"orderId":"1"}"#,
    event_id: "e1",
    event_type: "order.confirmed",
    subject: "orders/1",
};

/// Pushes `count` rows named `e<from>`, … in one job, at `at_ms`.
async fn push(store: &Store, at_ms: i64, from: usize, count: usize) -> Vec<i64> {
    store
        .write::<_, StoreError>(at_ms, move |tx| {
            (from..from + count)
                .map(|number| outbox::push(tx, &NewRow { event_id: &format!("e{number}"), ..ROW }))
                .collect()
        })
        .await
        .unwrap()
}

async fn unsent(store: &Store, after_seq: i64, limit: u32) -> Vec<OutboxRow> {
    store.read(move |tx| outbox::unsent(tx, after_seq, limit)).await.unwrap()
}

fn ids(rows: &[OutboxRow]) -> Vec<&str> {
    rows.iter().map(|row| row.event_id.as_str()).collect()
}

on_all! {
    async fn rows_come_out_as_they_went_in_and_in_order(scratch: Scratch) {
        let store = scratch.open();
        let seqs = push(&store, 77, 1, 3).await;
        let rows = unsent(&store, 0, 10).await;
        assert_eq!(ids(&rows), ["e1", "e2", "e3"]);
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), seqs);
        assert_eq!(
            rows[0],
            OutboxRow {
                seq: seqs[0],
                topic: ROW.topic.to_owned(),
                key: ROW.key.to_owned(),
                attributes: ROW.attributes.to_owned(),
                data: ROW.data.to_owned(),
                event_id: ROW.event_id.to_owned(),
                event_type: ROW.event_type.to_owned(),
                subject: ROW.subject.to_owned(),
                created_at_ms: 77,
                sent_at_ms: None,
            }
        );
    }

    async fn a_sweep_pages_through_without_gap_or_repeat(scratch: Scratch) {
        let store = scratch.open();
        push(&store, 0, 0, 25).await;
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = unsent(&store, after, 10).await;
            let Some(last) = page.last() else { break };
            after = last.seq;
            seen.extend(page.into_iter().map(|row| row.event_id));
        }
        assert_eq!(seen, (0..25).map(|number| format!("e{number}")).collect::<Vec<_>>());
    }

    async fn a_marked_row_waits_no_longer_and_keeps_its_first_time(scratch: Scratch) {
        let store = scratch.open();
        for (count, left) in [(1, 39), (16, 23), (3, 20), (20, 0)] {
            if left == 39 {
                push(&store, 0, 0, 40).await;
            }
            let seqs: Vec<i64> = unsent(&store, 0, count).await.iter().map(|row| row.seq).collect();
            store.write::<_, StoreError>(left, move |tx| {
                outbox::mark_sent(tx, &seqs)?;
                outbox::mark_sent(tx, &[])
            })
            .await
            .unwrap();
            assert_eq!(store.read(outbox::unsent_count).await, Ok(left));
        }
        let first = store.read(|tx| outbox::said(tx, "orders/1")).await.unwrap()[0].clone();
        store.write(1_000, move |tx| outbox::mark_sent(tx, &[first.seq])).await.unwrap();
        let said = store.read(|tx| outbox::said(tx, "orders/1")).await.unwrap();
        assert_eq!(said.len(), 40);
        let times: Vec<_> = said.iter().filter_map(|row| row.sent_at_ms).collect();
        let expected: Vec<i64> = [(39, 1), (23, 16), (20, 3), (0, 20)].iter().flat_map(|(at, n)| vec![*at; *n]).collect();
        assert_eq!(times, expected);
    }

    async fn marking_some_leaves_the_others(scratch: Scratch) {
        let store = scratch.open();
        let seqs = push(&store, 0, 0, 5).await;
        let (second, fourth) = (seqs[1], seqs[3]);
        store.write(9, move |tx| outbox::mark_sent(tx, &[fourth, second])).await.unwrap();
        assert_eq!(ids(&unsent(&store, 0, 10).await), ["e0", "e2", "e4"]);
    }

    async fn the_longest_wait_is_known(scratch: Scratch) {
        let store = scratch.open();
        assert_eq!(store.read(outbox::oldest_unsent_ms).await, Ok(None));
        let first = push(&store, 100, 0, 1).await;
        push(&store, 200, 1, 1).await;
        assert_eq!(store.read(outbox::oldest_unsent_ms).await, Ok(Some(100)));
        store.write(300, move |tx| outbox::mark_sent(tx, &first)).await.unwrap();
        assert_eq!(store.read(outbox::oldest_unsent_ms).await, Ok(Some(200)));
    }

    async fn nothing_is_said_by_a_job_that_failed(scratch: Scratch) {
        let store = scratch.open();
        let failed = store.write::<(), StoreError>(0, |tx| {
            outbox::push(tx, &ROW)?;
            Err(StoreError::Row { reason: "no".to_owned() })
        });
        assert!(failed.await.is_err());
        assert!(unsent(&store, 0, 10).await.is_empty());
    }

    async fn an_event_is_said_once(scratch: Scratch) {
        let store = scratch.open();
        push(&store, 0, 1, 1).await;
        let again = store.write(0, |tx| outbox::push(tx, &ROW)).await;
        assert!(matches!(again, Err(StoreError::Constraint { .. })), "{again:?}");
        assert_eq!(store.read(outbox::unsent_count).await, Ok(1));
    }

    async fn a_purge_spares_what_is_unsent_young_or_newest(scratch: Scratch) {
        let store = scratch.open();
        let seqs = push(&store, 0, 0, 6).await;
        for (index, at_ms) in [(1, 10), (2, 10), (3, 20), (4, 10), (5, 10)] {
            let seq = seqs[index];
            store.write(at_ms, move |tx| outbox::mark_sent(tx, &[seq])).await.unwrap();
        }
        let purge = |limit| store.write::<_, StoreError>(0, move |tx| outbox::purge_sent(tx, 20, limit));
        assert_eq!(purge(2).await, Ok(2));
        assert_eq!(purge(10).await, Ok(1));
        let left = store.read(|tx| outbox::said(tx, "orders/1")).await.unwrap();
        assert_eq!(ids(&left), ["e0", "e3", "e5"]);
    }

    async fn a_place_is_never_used_again(scratch: Scratch) {
        let store = scratch.open();
        let seqs = push(&store, 0, 0, 2).await;
        let last = seqs[1];
        store.write(1, move |tx| outbox::mark_sent(tx, &seqs)).await.unwrap();
        store.write::<_, StoreError>(0, |tx| outbox::purge_sent(tx, 100, 10)).await.unwrap();
        assert!(push(&store, 0, 5, 1).await[0] > last);
    }
}
