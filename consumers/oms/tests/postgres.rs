//! The watch means the same on PostgreSQL. Runs where `BOUTIQUE_TEST_POSTGRES` names a server.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use std::sync::Arc;

use events::order::OrderStuck;
use events::platform::MinuteElapsed;
use events::risk::RiskLevel;
use events::{Encoded, Envelope, Timestamp};
use oms::{Config, MIGRATIONS};
use runtime::{Deliveries, Identity, Outcome, Publisher, Publishing, Transactor, clock};
use serde_json::json;
use store::{Database, Store};
use support::{ORDER, committed, confirmed, invoiced};
use testkit::{SimulatedBus, T0, event, facts_of, get};

fn minute(at_ms: i64) -> Envelope<Encoded> {
    event(MinuteElapsed { minute: Timestamp::from_millisecond(at_ms).unwrap() }).from("scheduler").at(at_ms).seal()
}

#[tokio::test]
async fn an_order_is_stuck_and_goes_on_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("oms_{}", clock::new_id().simple());
    let store = Store::open(&Database::Postgres { url, schema }, MIGRATIONS).unwrap();
    let publisher = Publisher::new("oms", store.clone(), Arc::new(SimulatedBus::default()), Publishing::WithinRequest);
    let transactor = Transactor::new("oms", store, publisher);
    let deliveries = Deliveries::new(oms::consumer(), transactor.clone());
    let doors = oms::doors(transactor, &Config::default(), &Identity::open_house()).open_house();
    for fact in [confirmed(RiskLevel::Low), committed()] {
        let outcome = deliveries.deliver(fact).await;
        assert!(matches!(outcome, Outcome::Handled(_)), "{outcome:?}");
    }

    let early = deliveries.deliver(minute(T0)).await;
    assert_eq!(early, Outcome::Handled(Vec::new()));
    let late = deliveries.deliver(minute(T0 + 5 * 60 * 1_000)).await;
    assert!(matches!(&late, Outcome::Handled(said) if facts_of::<OrderStuck>(said).len() == 1), "{late:?}");
    assert_eq!(get(&doors, "/orders/stuck").await.body["orders"][0]["orderId"], ORDER);

    deliveries.deliver(invoiced()).await;
    assert_eq!(get(&doors, "/orders/stuck").await.body["orders"], json!([]));
}
