//! The warehouse's SQL means the same on PostgreSQL (where `BOUTIQUE_TEST_POSTGRES` names a server), and rows from before a migration are
//! carried over.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use runtime::{Deliveries, Identity, Outcome, Publisher, Publishing, Transactor, clock};
use serde_json::{Value, json};
use store::{Database, Store, StoreError, Tx, params};
use support::*;
use testkit::{SimulatedBus, get, post};
use warehouse::{Carrier, Config, Delays, MIGRATIONS};

const BEFORE: &str =
    "INSERT INTO shipments (shipment_id, order_id, ledger, status, lines, location, due_at_ms, created_at_ms)
    VALUES ('s-1', 'order-1', 'furniture', 'created', ?1, 'Hall 9', 7, 7)";
const RETURN_BEFORE: &str =
    "INSERT INTO returns (return_id, order_id, status, lines, requested_at_ms, cause_id, correlation_id)
    VALUES ('return-9', 'order-1', 'expected', ?1, 7, 'cause-1', 'story-1')";

#[tokio::test]
async fn rows_from_before_freight_went_alone_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite { path: folder.path().join("warehouse.db") };
    let old = Store::open(&database, &MIGRATIONS[..1]).unwrap();
    let lines = serde_json::to_string(&[line("FURN-1"), line("FURN-2")]).unwrap();
    let rows = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(BEFORE, params![&lines])?;
        tx.execute(RETURN_BEFORE, params![&lines])
    };
    old.write(7, rows).await.unwrap();
    old.close().await;

    let store = Store::open(&database, MIGRATIONS).unwrap();
    let publisher =
        Publisher::new("warehouse", store.clone(), Arc::new(SimulatedBus::default()), Publishing::WithinRequest);
    let transactor = Transactor::new("warehouse", store, publisher);
    let doors = warehouse::doors(transactor.clone(), &Config::default(), &Identity::open_house()).open_house();
    warehouse::progress(&transactor, Delays::NONE, clock::now_ms()).await;
    let shipment = get(&doors, "/shipments/s-1").await.body;
    assert_eq!((&shipment["status"], &shipment["attempt"]), (&json!("delivered"), &json!(1)));
    assert_eq!(shipment["lines"].as_array().unwrap().len(), 2);
    let received = post(&doors, "/returns/return-9/received", &Value::Null).await;
    assert_eq!((received.status, received.body["inspection"].as_array().unwrap().len()), (StatusCode::OK, 2));
}

#[tokio::test]
async fn a_shipment_fails_and_comes_back_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("warehouse_{}", clock::new_id().simple());
    let store = Store::open(&Database::Postgres { url, schema }, MIGRATIONS).unwrap();
    let publisher =
        Publisher::new("warehouse", store.clone(), Arc::new(SimulatedBus::default()), Publishing::WithinRequest);
    let transactor = Transactor::new("warehouse", store, publisher);
    // Its ledgers answer; its own database is not used.
    let house = House::new(SLOW).await;
    let delays = Delays { dispatch_ms: 0, deliver_ms: 0, carrier: Carrier::Partner };
    let config = Config { delays, ..house.config.clone() };
    let deliveries = Deliveries::new(warehouse::consumer(&config, &Identity::open_house()), transactor.clone());
    let doors = warehouse::doors(transactor.clone(), &config, &Identity::open_house()).open_house();

    assert!(matches!(deliveries.deliver(requested(&["LAMP", "FURN-1", "FURN-2"])).await, Outcome::Handled(_)));
    assert_eq!(deliveries.deliver(requested(&["LAMP", "FURN-1", "FURN-2"])).await, Outcome::Duplicate);
    let shipments = get(&doors, "/shipments?orderId=order-1").await.body;
    let [parcel, desk, sofa] = &shipments["shipments"].as_array().unwrap()[..] else { panic!("{shipments}") };
    let report = async |shipment: &Value, status: &str, reference: &str, offset_s: i64| {
        let at = clock::from_ms(clock::now_ms() + offset_s * 1_000);
        let path = format!("/shipments/{}/tracking", shipment["shipmentId"].as_str().unwrap());
        let answer = post(&doors, &path, &json!({ "status": status, "reference": reference, "at": at })).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.body["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(report(parcel, "delivered", "a", 0).await, "delivered");
    assert_eq!(report(sofa, "delivered", "a", 0).await, "delivered");
    assert_eq!(report(desk, "failed", "a", 0).await, "dispatched");
    assert_eq!(report(desk, "failed", "b", 5).await, "failed");
    let returns = get(&doors, "/returns?orderId=order-1").await.body;
    let path = format!("/returns/{}/received", returns["returns"][0]["returnId"].as_str().unwrap());
    assert_eq!(post(&doors, &path, &Value::Null).await.body["status"], "received");

    assert!(matches!(deliveries.deliver(return_requested(&["LAMP"])).await, Outcome::Handled(_)));
    warehouse::lapse(&transactor, Duration::from_secs(1), clock::now_ms()).await;
    assert_eq!(get(&doors, "/returns/return-1").await.body["status"], "lapsed");
}
