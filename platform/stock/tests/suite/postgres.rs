//! The ledger's SQL means the same on PostgreSQL. Runs where `BOUTIQUE_TEST_POSTGRES` names a server.

use std::sync::Arc;

use axum::http::StatusCode;
use events::Ledger;
use events::inventory::{StockCommitted, StockReleased};
use runtime::{Deliveries, Outcome, Publisher, Publishing, Transactor, clock};
use serde_json::json;
use store::{Database, Store};
use testkit::{SimulatedBus, delete, facts_of, get, post, put};

use crate::shop::{LENS, MUG, cancelled, dispatched, lines, minute, returned, stock_reserved};

#[tokio::test]
async fn an_order_goes_through_the_ledger_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("stock_{}", clock::new_id().simple());
    let store =
        Store::open(&Database::Postgres { url, schema }, &[stock::LEDGER, stock::LAPSES, stock::DEPARTURES]).unwrap();
    let publisher =
        Publisher::new("inventory", store.clone(), Arc::new(SimulatedBus::default()), Publishing::WithinRequest);
    let deliveries =
        Deliveries::new(stock::reactions(Ledger::Inventory), Transactor::new("inventory", store.clone(), publisher));
    let router = stock::doors(store.clone(), Ledger::Inventory).open_house();

    let price = json!({ "currencyCode": "USD", "units": 12, "nanos": 490_000_000 });
    let product =
        |id: &str| json!({ "productId": id, "name": id, "category": "C", "unitPrice": price, "stockLevel": 10 });
    let bulk = json!([product(LENS), product(MUG)]);
    assert_eq!(put(&router, "/inventory", &bulk).await.body, json!({ "upserted": 2 }));
    assert_eq!(put(&router, "/inventory", &bulk).await.body, json!({ "upserted": 2 }));
    let new = json!({ "stockLevel": 5, "name": "New", "unitPrice": price, "lowThreshold": 3 });
    assert_eq!(put(&router, "/inventory/NEW", &new).await.status, StatusCode::CREATED);
    assert_eq!(put(&router, &format!("/inventory/{LENS}"), &json!({ "stockLevel": 12 })).await.status, StatusCode::OK);

    let expires_at = clock::from_ms(clock::now_ms() + 60_000);
    for order in ["o1", "o2"] {
        let held = lines(&[(LENS, 3), (MUG, 1)]);
        let body = json!({ "orderId": order, "reservationId": format!("{order}-hold"), "expiresAt": expires_at, "lines": held });
        let made = post(&router, "/reservations", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(post(&router, "/reservations", &body).await, made);
        let said = deliveries.deliver(stock_reserved(order, &[(LENS, 3), (MUG, 1)]).seal()).await;
        assert!(matches!(&said, Outcome::Handled(said) if facts_of::<StockCommitted>(said).len() == 1), "{said:?}");
    }
    let said = deliveries.deliver(cancelled("o1")).await;
    assert!(matches!(&said, Outcome::Handled(said) if facts_of::<StockReleased>(said).len() == 1), "{said:?}");
    assert_eq!(deliveries.deliver(cancelled("o1")).await, Outcome::Duplicate);
    let shipped = deliveries.deliver(dispatched("o2", "s1", &[(LENS, 3), (MUG, 1)]).seal()).await;
    assert_eq!(shipped, Outcome::Handled(vec![]));
    let back = deliveries.deliver(returned("o2", "r1", &[(LENS, 1)]).seal()).await;
    assert_eq!(back, Outcome::Handled(vec![]));
    assert_eq!(delete(&router, "/reservations/never-made").await.status, StatusCode::NO_CONTENT);

    let body = json!({ "orderId": "o3", "reservationId": "o3-hold", "expiresAt": expires_at, "lines": lines(&[(LENS, 2), (MUG, 1)]) });
    assert_eq!(post(&router, "/reservations", &body).await.status, StatusCode::CREATED);
    let said = deliveries.deliver(minute(expires_at.as_millisecond())).await;
    assert!(matches!(&said, Outcome::Handled(said) if facts_of::<StockReleased>(said).len() == 1), "{said:?}");

    for path in ["reserve", "release"] {
        let path = format!("/inventory/{MUG}/{path}");
        assert_eq!(post(&router, &path, &json!({ "quantity": 2 })).await.status, StatusCode::OK);
    }
    let all = get(&router, &format!("/inventory?ids={LENS},{MUG},NEW")).await.body;
    let levels: Vec<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["stockLevel"].clone(), item["reserved"].clone()))
        .collect();
    assert_eq!(levels, vec![(json!(10), json!(0)), (json!(9), json!(0)), (json!(5), json!(0))]);
    assert_eq!(get(&router, "/inventory?limit=2").await.body["total"], 3);
}
