//! The inventory service: its samples, its doors and its subscription.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use events::inventory::{StockCommitted, StockReserved};
use events::{Ledger, StockLine, topology};
use inventory::{Config, MIGRATIONS, consumer};
use runtime::config::Environment;
use runtime::{Base, Identity, Outcome, clock};
use serde_json::{Value, json};
use store::Database;
use testkit::{Scenario, SimulatedBus, event, get, post, put};

fn doors() -> (Scenario, Router) {
    let scenario = Scenario::new(consumer(), MIGRATIONS);
    let router = inventory::doors(scenario.transactor().store().clone()).open_house();
    (scenario, router)
}

#[tokio::test]
async fn the_first_start_brings_the_catalogue_of_the_shop() {
    let (_scenario, router) = doors();
    let all = get(&router, "/inventory").await.body;
    assert_eq!(all["total"], 11);
    let price = |item: &Value| {
        let price = &item["unitPrice"];
        price["units"].as_i64().unwrap() * 100 + price["nanos"].as_i64().unwrap() / 10_000_000
    };
    let mut products: Vec<_> =
        all["data"].as_array().unwrap().iter().map(|item| (item["productId"].as_str().unwrap(), price(item))).collect();
    products.sort_unstable();
    let mut expected = [
        ("OLJCESPC7Z", 6_799),
        ("66VCHSJNUP", 1_249),
        ("1YMWWN1N4O", 12_400),
        ("L9ECAV7KIM", 3_645),
        ("2ZYFJ3GM2N", 224_500),
        ("0PUK6V6EV0", 6_550),
        ("LS4PSXUNUM", 2_433),
        ("9SIQT8TOJO", 78_950),
        ("6E92ZMYYFZ", 1_230),
        ("FOOD-1", 1_299),
        ("FOOD-2", 899),
    ];
    expected.sort_unstable();
    assert_eq!(products, expected);
    let typewriter = get(&router, "/inventory/OLJCESPC7Z").await.body;
    assert_eq!(
        (&typewriter["name"], &typewriter["stockLevel"], &typewriter["reserved"], &typewriter["available"]),
        (&json!("Vintage Typewriter"), &json!(45), &json!(3), &json!(42))
    );
}

/// The calls of the published examples, in their order.
#[tokio::test]
async fn the_published_examples_work() {
    let (_scenario, router) = doors();
    let reserved = post(&router, "/inventory/OLJCESPC7Z/reserve", &json!({ "quantity": 2 })).await;
    assert_eq!((reserved.status, &reserved.body["reserved"]), (StatusCode::OK, &json!(5)));
    let released = post(&router, "/inventory/OLJCESPC7Z/release", &json!({ "quantity": 1 })).await;
    assert_eq!((released.status, &released.body["reserved"]), (StatusCode::OK, &json!(4)));
    let put = put(&router, "/inventory/OLJCESPC7Z", &json!({ "stockLevel": 50 })).await;
    assert_eq!((put.status, &put.body["available"]), (StatusCode::OK, &json!(46)));
    assert_eq!(get(&router, "/inventory/NOTHING").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_hold_made_by_request_becomes_firm_by_event() {
    let (scenario, router) = doors();
    let expires_at = clock::from_ms(clock::now_ms() + 60_000);
    let body = json!({ "orderId": "o1", "reservationId": "h1", "expiresAt": expires_at,
        "lines": [{ "productId": "FOOD-1", "quantity": 2 }, { "productId": "6E92ZMYYFZ", "quantity": 1 }] });
    assert_eq!(post(&router, "/reservations", &body).await.status, StatusCode::CREATED);
    let lines: Vec<StockLine> = serde_json::from_value(body["lines"].clone()).unwrap();
    let (order_id, reservation_id) = ("o1".parse().unwrap(), "h1".parse().unwrap());
    let fact = StockReserved { order_id, reservation_id, ledger: Ledger::Inventory, lines: lines.clone(), expires_at };
    let reserved = event(fact).at(clock::now_ms()).seal();

    assert!(matches!(scenario.when(&reserved).await, Outcome::Handled(_)));
    assert_eq!(scenario.when(&reserved).await, Outcome::Duplicate);
    let said = scenario.said_facts::<StockCommitted>();
    assert_eq!(said.into_iter().map(|fact| fact.lines).collect::<Vec<_>>(), vec![lines]);
}

#[test]
fn the_consumer_reacts_to_what_the_topology_sends_it() {
    let mut expected: Vec<_> = topology::EVENTS
        .iter()
        .filter(|row| row.heard_by.contains(&inventory::NAME))
        .map(|row| row.event_type)
        .collect();
    expected.sort_unstable();
    assert_eq!(consumer().name(), inventory::NAME);
    assert_eq!(consumer().event_types(), expected);
}

#[tokio::test]
async fn it_starts_serves_and_stops() {
    let folder = Scenario::new(consumer(), MIGRATIONS);
    let database = Database::Sqlite { path: folder.folder().join("inventory.db") };
    let base = Base {
        listen: "127.0.0.1:0".parse().unwrap(),
        database,
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let config = Config::from_environment(&Environment::default()).unwrap();
    for _ in 0..2 {
        let running = inventory::service(&base, config).unwrap().start(base.listen).await.unwrap();
        let url = format!("http://{}", running.address());
        let peer = runtime::Peer::new("inventory", &url, std::time::Duration::from_secs(5));
        let page: stock::contract::Page = peer.get("/inventory?ids=OLJCESPC7Z").await.unwrap();
        assert_eq!((page.total, page.data[0].available), (1, 42));
        running.stop().await;
    }
}
