//! Facts between commit and Pub/Sub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bus::{Bus, Outgoing, Published};
use events::billing::InvoiceIssued;
use futures::future::BoxFuture;
use runtime::{Cause, Code, Failure, Outcome, Publisher, Publishing, Transactor};
use store::{Database, Store, outbox};
use testkit::{Scenario, SimulatedBus, event};
use tokio::sync::Semaphore;

use crate::fixture::{MIGRATIONS, cancelled, effects, issued, scenario};

async fn unsent(shop: &Scenario) -> i64 {
    shop.read(outbox::unsent_count).await
}

#[tokio::test]
async fn what_could_not_be_published_is_relayed_once_pub_sub_is_back() {
    let shop = scenario();
    let event = event(cancelled("O1")).seal();
    shop.bus().refuse(true);

    assert!(matches!(shop.when(&event).await, Outcome::Handled(_)));
    assert_eq!(shop.when(&event).await, Outcome::Duplicate);
    assert!(shop.said().is_empty());
    let publisher = shop.transactor().publisher();
    assert_eq!(publisher.relay_once().await, Ok(false));

    shop.bus().refuse(false);
    assert_eq!(publisher.relay_once().await, Ok(true));
    assert_eq!(publisher.relay_once().await, Ok(true));

    assert_eq!(shop.said_facts::<InvoiceIssued>().len(), 1);
    assert_eq!(effects(&shop).await, 1);
}

#[tokio::test]
async fn facts_of_one_order_keep_their_order_across_a_failure() {
    let shop = scenario();
    shop.bus().refuse(true);
    shop.when(&event(cancelled("O1")).number(1).seal()).await;
    shop.bus().refuse(false);
    // The key is held back, so the later fact waits for the relay too; another order's goes out at once.
    shop.when(&event(cancelled("O1")).number(2).seal()).await;
    shop.when(&event(cancelled("O2")).seal()).await;
    let orders = |shop: &Scenario| -> Vec<String> {
        shop.said().iter().map(|message| message.attributes["ce-causationid"].clone()).collect()
    };
    let id = |order: &str, number| event(cancelled(order)).number(number).seal().id.to_string();
    assert_eq!(orders(&shop), [id("O2", 0)]);

    shop.transactor().publisher().relay_once().await.unwrap();

    assert_eq!(orders(&shop), [id("O2", 0), id("O1", 1), id("O1", 2)]);
}

#[tokio::test]
async fn sent_rows_are_marked_and_stay_for_the_timeline() {
    let shop = scenario();
    shop.when(&event(cancelled("O1")).seal()).await;
    assert_eq!(unsent(&shop).await, 1);
    shop.transactor().publisher().start_relay().stop().await;
    assert_eq!(unsent(&shop).await, 0);
    let said = shop.read(|tx| outbox::said(tx, "orders/O1")).await;
    assert_eq!(said.len(), 1);
    assert!(said[0].sent_at_ms.is_some());
}

#[tokio::test]
async fn a_command_that_fails_says_nothing() {
    let shop = scenario();
    let beginning = || Cause::Beginning { traceparent: None };
    let refused: Result<(), Failure> =
        shop.transactor().run(beginning(), |_| Err(Failure::permanent(Code::IllegalState, "not today"))).await;
    assert!(refused.is_err());
    assert_eq!(unsent(&shop).await, 0);

    let order = "O1".parse().unwrap();
    let facts = vec![issued(&order).into(), issued(&order).into()];
    shop.transactor().run::<_, Failure>(beginning(), |_| Ok(((), facts))).await.unwrap();
    let said = shop.said();
    // The first fact begins the story; the second is caused by it.
    assert_eq!(said[0].attributes["ce-correlationid"], said[0].attributes["ce-id"]);
    assert!(!said[0].attributes.contains_key("ce-causationid"));
    assert_eq!(said[1].attributes["ce-causationid"], said[0].attributes["ce-id"]);
    assert_eq!(said[1].attributes["ce-correlationid"], said[0].attributes["ce-id"]);
}

/// Stands still in its first publish until the gate opens, or panics in it.
struct Unreliable {
    inner: SimulatedBus,
    is_first: AtomicBool,
    gate: Option<Semaphore>,
}

impl Bus for Unreliable {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        Box::pin(async move {
            if self.is_first.swap(false, Ordering::SeqCst) {
                let gate = self.gate.as_ref().expect("a bus without a gate panics in its first publish");
                let _open = gate.acquire().await.expect("the gate is never closed for good");
            }
            self.inner.publish(batch).await
        })
    }
}

fn unreliable(gate: Option<Semaphore>) -> (Arc<Unreliable>, Transactor, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let database = Database::Sqlite { path: folder.path().join("outbox.db") };
    let store = Store::open(&database, MIGRATIONS).expect("a fresh database");
    let bus = Arc::new(Unreliable { inner: SimulatedBus::default(), is_first: AtomicBool::new(true), gate });
    let publisher = Publisher::new("accounting", store.clone(), Arc::clone(&bus) as _, Publishing::WithinRequest);
    (bus, Transactor::new("accounting", store, publisher), folder)
}

fn say(transactor: &Transactor) -> impl Future<Output = Result<(), Failure>> + Send + 'static {
    let transactor = transactor.clone();
    async move {
        let facts = vec![issued(&"O1".parse().expect("an id")).into()];
        transactor.run::<_, Failure>(Cause::Beginning { traceparent: None }, |_| Ok(((), facts))).await
    }
}

/// Relays until the bus has taken a message: what is under way is left alone by a relay, and must not be for ever.
async fn relayed(bus: &Unreliable, transactor: &Transactor) -> usize {
    let relaying = async {
        while bus.inner.taken().is_empty() {
            transactor.publisher().relay_once().await.expect("a database that works");
            tokio::task::yield_now().await;
        }
    };
    // Without a way out of the publisher's memory the row would never be taken.
    let _ = tokio::time::timeout(Duration::from_secs(5), relaying).await;
    bus.inner.taken().len()
}

#[tokio::test]
async fn a_row_whose_request_went_away_in_the_middle_of_its_publish_is_sent_all_the_same() {
    let (bus, transactor, _folder) = unreliable(Some(Semaphore::new(0)));
    let mut request = Box::pin(say(&transactor));
    while bus.is_first.load(Ordering::SeqCst) {
        let _ = futures::poll!(request.as_mut());
        tokio::task::yield_now().await;
    }
    drop(request);
    bus.gate.as_ref().expect("it has one").add_permits(1);
    assert_eq!(relayed(&bus, &transactor).await, 1);
}

#[tokio::test]
async fn a_row_whose_publish_panicked_is_sent_by_the_relay() {
    let (bus, transactor, _folder) = unreliable(None);
    let request = tokio::spawn(say(&transactor));
    // Whether the request ends well is not the matter here: its transaction was committed.
    let _ = request.await;
    assert_eq!(relayed(&bus, &transactor).await, 1);
}
