//! What a minute does besides the reactions: relay, chores, purge.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use events::billing::InvoiceIssued;
use events::platform::MinuteElapsed;
use events::pubsub::Message;
use events::{Encoded, Envelope, Timestamp};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use runtime::request_id::REQUEST_ID;
use runtime::{
    Base, Chore, Consumer, Doors, Foundation, Identity, NoteMinute, Outcome, Peer, Publishing, RequestId, Service,
    Upkeep,
};
use store::attempts::Attempt;
use store::inbox::Receipt;
use store::outbox::NewRow;
use store::{Database, StoreError, Tx, attempts, inbox, outbox};
use testkit::{Scenario, SimulatedBus, T0, event};
use tokio::sync::Semaphore;

use crate::fixture::{MIGRATIONS, cancelled, scenario};
use crate::push::wrapped;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn minute() -> Envelope<Encoded> {
    event(MinuteElapsed { minute: at(T0) }).from("scheduler").seal()
}

#[tokio::test]
async fn a_minute_sends_what_could_not_be_sent_before() {
    let shop = scenario();
    shop.bus().refuse(true);
    shop.when(&event(cancelled("O1")).seal()).await;
    shop.bus().refuse(false);
    assert!(shop.said().is_empty());

    let upkeep = Upkeep::new(shop.transactor().clone(), Vec::new());
    upkeep.run(at(T0)).await;
    upkeep.run(at(T0)).await;

    assert_eq!(shop.said_facts::<InvoiceIssued>().len(), 1);
    assert_eq!(shop.read(outbox::unsent_count).await, 0, "and marks it, without waiting for a timer");
}

/// One row in each table at T0: a claim, a failure, a message that was sent and one that was not.
fn old_rows(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let receipt = Receipt { consumer: "c", source: "s", id: "1", event_type: "t", subject: "orders/old" };
    inbox::claim(tx, &receipt)?;
    let attempt = Attempt {
        consumer: "c",
        event_id: "1",
        event_type: "t",
        subject: "orders/old",
        kind: "transient",
        code: "later",
        fingerprint: "f",
        reason: "r",
        at_ms: T0,
    };
    attempts::record(tx, &attempt)?;
    let row = |event_id| NewRow {
        topic: "order-events",
        key: "old",
        attributes: "{}",
        data: "{}",
        event_id,
        event_type: "t",
        subject: "orders/old",
    };
    let sent = outbox::push(tx, &row("sent"))?;
    outbox::push(tx, &row("unsent"))?;
    outbox::mark_sent(tx, &[sent])
}

/// Rows of inbox, attempts and outbox.
async fn counts(shop: &Scenario) -> [i64; 3] {
    shop.read(|tx| {
        let mut count = |sql| tx.query_opt(sql, &[], |row| row.get_i64(0)).map(Option::unwrap_or_default);
        Ok([
            count("SELECT COUNT(*) FROM inbox")?,
            count("SELECT COUNT(*) FROM attempts")?,
            count("SELECT COUNT(*) FROM outbox")?,
        ])
    })
    .await
}

#[tokio::test]
async fn claims_go_after_21_days_what_was_sent_after_35_and_what_was_not_stays() {
    let shop = scenario();
    shop.bus().refuse(true);
    shop.given(old_rows).await;
    let upkeep = Upkeep::new(shop.transactor().clone(), Vec::new());
    for (days, expected) in [(0, [1, 1, 2]), (21, [1, 1, 2]), (22, [0, 0, 2]), (35, [0, 0, 2]), (36, [0, 0, 1])] {
        upkeep.run(at(T0 + days * DAY_MS)).await;
        assert_eq!(counts(&shop).await, expected, "after {days} days");
    }
    let left = shop.read(|tx| outbox::said(tx, "orders/old")).await;
    assert_eq!((left[0].event_id.as_str(), left[0].sent_at_ms), ("unsent", None));
}

#[tokio::test]
async fn more_old_rows_than_a_minute_forgets_are_forgotten_by_the_next() {
    const ROWS: i64 = 10_500;
    let shop = scenario();
    shop.given(|tx| {
        for number in 0..ROWS {
            let id = format!("event-{number}");
            let receipt = Receipt { consumer: "c", source: "s", id: &id, event_type: "t", subject: "orders/old" };
            inbox::claim(tx, &receipt)?;
        }
        Ok(())
    })
    .await;
    let upkeep = Upkeep::new(shop.transactor().clone(), Vec::new());
    upkeep.run(at(T0 + 22 * DAY_MS)).await;
    assert_eq!(counts(&shop).await[0], 500);
    upkeep.run(at(T0 + 22 * DAY_MS)).await;
    assert_eq!(counts(&shop).await[0], 0);
}

#[tokio::test]
async fn a_chore_never_runs_beside_itself() {
    let (begun, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let chore = {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        Chore::new(move |_| {
            let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
            }
        })
    };
    let first = tokio::spawn({
        let chore = chore.clone();
        async move { chore.run(at(T0)).await }
    });
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    chore.run(at(T0)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1, "the second left it to the first");
    gate.add_permits(2);
    first.await.unwrap();
    chore.run(at(T0)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_pushed_minute_does_the_chores_before_it_is_answered_and_other_events_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Database::Sqlite { path: folder.path().join("upkeep.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
    let consumer = Consumer::new("accounting").on(crate::fixture::Invoice).on(NoteMinute);
    let done = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&done);
    // A timer that stands still, as where there is no CPU between requests.
    let service =
        Service::new(foundation, Doors::new()).consumer(consumer).every(Duration::from_secs(3_600), move |_| {
            let count = Arc::clone(&count);
            async move {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
    let running = service.start(base.listen).await.unwrap();
    let peer = Peer::new("accounting", &format!("http://{}", running.address()), Duration::from_secs(10));
    let push = async |envelope: Envelope<Encoded>| {
        let body = Bytes::from(wrapped(&Message::from(envelope)).to_string());
        let reply = peer.forward(Method::POST, "/", HeaderMap::new(), body).await.unwrap();
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        done.load(Ordering::SeqCst)
    };
    assert_eq!(push(event(cancelled("O1")).from("oms").seal()).await, 0);
    assert_eq!(push(minute()).await, 1);
    assert_eq!(push(minute()).await, 2, "a repeated minute does no harm");
    running.stop().await;
}

/// What a minute's chores ask of others is asked for the push that brought it.
#[tokio::test]
async fn a_pushed_minute_s_work_is_done_under_the_request_id_of_its_push() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Database::Sqlite { path: folder.path().join("upkeep.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
    let known = Arc::new(Mutex::new(None));
    let note = Arc::clone(&known);
    let service = Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on(NoteMinute)).every(
        Duration::from_secs(3_600),
        move |_| {
            *note.lock().unwrap() = RequestId::current();
            std::future::ready(())
        },
    );
    let running = service.start(base.listen).await.unwrap();
    let peer = Peer::new("accounting", &format!("http://{}", running.address()), Duration::from_secs(10));
    let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static("push-7"))]);
    let asked = RequestId::of(&headers);
    let body = Bytes::from(wrapped(&Message::from(minute())).to_string());
    let reply = peer.forward(Method::POST, "/", headers, body).await.unwrap();
    assert_eq!((reply.status, known.lock().unwrap().clone()), (StatusCode::NO_CONTENT, Some(asked)));
    running.stop().await;
}

#[tokio::test]
async fn a_minute_without_a_rule_is_noted_once() {
    let shop = Scenario::new(Consumer::new("accounting").on(NoteMinute), MIGRATIONS);
    assert_eq!(shop.when(&minute()).await, Outcome::Handled(Vec::new()));
    assert_eq!(shop.when(&minute()).await, Outcome::Duplicate);
}
