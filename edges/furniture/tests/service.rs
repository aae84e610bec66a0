//! The furniture service: its catalogue, and that catalogue and ledger are one.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use events::inventory::{StockCommitted, StockReserved};
use events::{Ledger, topology};
use furniture::{MIGRATIONS, consumer};
use runtime::{Outcome, clock};
use serde_json::{Value, json};
use testkit::{Answer, Scenario, delete, event, get, post, put, request};

fn doors() -> (Scenario, Router) {
    let scenario = Scenario::new(consumer(), MIGRATIONS);
    let router = furniture::doors(scenario.transactor().store().clone()).open_house();
    (scenario, router)
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

/// The body as it is on the wire, and the `Link` header.
async fn raw(router: &Router, path: &str) -> (String, Option<String>) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
    let link = response.headers().get("link").map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (String::from_utf8(body.to_vec()).unwrap(), link)
}

#[tokio::test]
async fn the_first_start_brings_the_samples() {
    let (_scenario, router) = doors();
    let (all, link) = raw(&router, "/furniture").await;
    let expected = r#"[{"id":1,"name":"Oak Desk","category":"Office","price":299.99,"productId":"FURN-1","stockLevel":20,"available":20},{"id":2,"name":"Leather Sofa","category":"Living Room","price":899.99,"productId":"FURN-2","stockLevel":20,"available":20}]"#;
    assert_eq!((all.as_str(), link), (expected, None));
    assert_eq!(get(&router, "/furniture/2").await.body["name"], "Leather Sofa");
}

/// The calls of the published examples, in their order.
#[tokio::test]
async fn the_published_examples_work() {
    let (_scenario, router) = doors();
    let created =
        post(&router, "/furniture", &json!({ "name": "Modern Chair", "category": "Office", "price": 199.99 })).await;
    let chair = json!({ "id": 3, "name": "Modern Chair", "category": "Office", "price": 199.99, "productId": "FURN-3",
        "stockLevel": 0, "available": 0 });
    assert_eq!((created.status, &created.body), (StatusCode::CREATED, &chair));
    let changed =
        put(&router, "/furniture/1", &json!({ "name": "Executive Desk", "category": "Office", "price": 499.99 })).await;
    assert_eq!((changed.status, &changed.body["price"]), (StatusCode::OK, &json!(499.99)));
    assert_eq!((&changed.body["name"], &changed.body["stockLevel"]), (&json!("Executive Desk"), &json!(20)));
    let deleted = delete(&router, "/furniture/1").await;
    assert_eq!(deleted.status, StatusCode::OK);
    assert!(deleted.body["message"].is_string());
    for answer in [get(&router, "/furniture/1").await, delete(&router, "/furniture/1").await] {
        assert_eq!(code(&answer), (404, "not_found"));
    }
}

#[tokio::test]
async fn a_number_is_never_used_twice() {
    let (_scenario, router) = doors();
    let chair = json!({ "name": "Chair", "category": "Office", "price": 1, "stockLevel": 2 });
    assert_eq!(post(&router, "/furniture", &chair).await.body["id"], 3);
    delete(&router, "/furniture/3").await;
    assert_eq!(post(&router, "/furniture", &chair).await.body["id"], 4);
    let imported = json!([{ "productId": "FURN-17", "name": "Bed", "category": "Bedroom", "stockLevel": 1,
        "unitPrice": { "currencyCode": "USD", "units": 900, "nanos": 0 } }]);
    assert_eq!(put(&router, "/inventory", &imported).await.status, StatusCode::OK);
    assert_eq!(get(&router, "/furniture/17").await.body["price"], 900.0);
    let created = post(&router, "/furniture", &chair).await.body;
    assert_eq!((&created["id"], &created["stockLevel"]), (&json!(18), &json!(2)));
}

#[tokio::test]
async fn the_list_pages_by_number() {
    let (_scenario, router) = doors();
    for _ in 0..10 {
        post(&router, "/furniture", &json!({ "name": "Chair", "category": "Office", "price": 1 })).await;
    }
    let (mut path, mut seen) = ("/furniture?limit=5".to_owned(), Vec::new());
    for _ in 0..4 {
        let (body, link) = raw(&router, &path).await;
        let page: Vec<Value> = serde_json::from_str(&body).unwrap();
        seen.extend(page.iter().map(|item| item["id"].as_i64().unwrap()));
        let Some(link) = link else { break };
        path = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap().to_owned();
    }
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
    for query in ["limit=0", "limit=501", "after=x"] {
        assert_eq!(get(&router, &format!("/furniture?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn furniture_that_is_held_stays() {
    let (_scenario, router) = doors();
    assert_eq!(post(&router, "/inventory/FURN-1/reserve", &json!({ "quantity": 3 })).await.status, StatusCode::OK);
    assert_eq!(get(&router, "/furniture/1").await.body["available"], 17);
    assert_eq!(code(&delete(&router, "/furniture/1").await), (409, "reserved"));
    let fewer = json!({ "name": "Oak Desk", "category": "Office", "price": 1, "stockLevel": 2 });
    assert_eq!(code(&put(&router, "/furniture/1", &fewer).await), (409, "below_reserved"));
    assert_eq!(get(&router, "/furniture/1").await.body["price"], 299.99);
}

#[tokio::test]
async fn prices_are_exact_and_what_is_no_price_is_refused() {
    let (_scenario, router) = doors();
    let body = |price: &str| format!(r#"{{"name":"Chair","category":"Office","price":{price}}}"#);
    for (price, printed) in [("0.1", "0.10"), ("19.90", "19.90"), ("1234567.89", "1234567.89"), ("7", "7.00")] {
        let created = request(&router, Method::POST, "/furniture", body(price)).await;
        let (text, _) = raw(&router, &format!("/furniture/{}", created.body["id"])).await;
        assert!(text.contains(&format!(r#""price":{printed},"#)), "{text}");
    }
    for price in ["-1", "1.999", "1e20", "\"1\"", "null", "[]", "{}", "true"] {
        for (method, path) in [(Method::POST, "/furniture"), (Method::PUT, "/furniture/1")] {
            let answer = request(&router, method, path, body(price)).await;
            assert_eq!(code(&answer), (400, "invalid_field"), "{price}");
            assert_eq!(answer.body["errors"][0]["path"], "price", "{price}");
        }
    }
}

#[tokio::test]
async fn no_body_breaks_a_door() {
    let (_scenario, router) = doors();
    for (method, path) in [(Method::POST, "/furniture"), (Method::PUT, "/furniture/1")] {
        for body in [
            "",
            "null",
            "{}",
            "[]",
            "{",
            r#"{"name":"","category":"c","price":1}"#,
            r#"{"name":"n","category":1,"price":1}"#,
            r#"{"name":"n","category":"c"}"#,
            r#"{"name":"n","category":"c","price":1,"stockLevel":-1}"#,
        ] {
            let answer = request(&router, method.clone(), path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
        }
    }
    let good = json!({ "name": "n", "category": "c", "price": 1 });
    for id in ["0", "-1", "x", "99", "9223372036854775808", "1.0", "%ff"] {
        assert_eq!(get(&router, &format!("/furniture/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(put(&router, &format!("/furniture/{id}"), &good).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(delete(&router, &format!("/furniture/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn a_hold_made_by_request_becomes_firm_by_event() {
    let (scenario, router) = doors();
    let expires_at = clock::from_ms(clock::now_ms() + 60_000);
    let body = json!({ "orderId": "o1", "reservationId": "h1", "expiresAt": expires_at,
        "lines": [{ "productId": "FURN-1", "quantity": 19 }] });
    assert_eq!(post(&router, "/reservations", &body).await.status, StatusCode::CREATED);
    let fact = StockReserved {
        order_id: "o1".parse().unwrap(),
        reservation_id: "h1".parse().unwrap(),
        ledger: Ledger::Furniture,
        lines: serde_json::from_value(body["lines"].clone()).unwrap(),
        expires_at,
    };
    let reserved = event(fact).at(clock::now_ms()).seal();
    assert!(matches!(scenario.when(&reserved).await, Outcome::Handled(said) if said.len() == 2), "committed and low");
    assert_eq!(scenario.when(&reserved).await, Outcome::Duplicate);
    assert_eq!(scenario.said_facts::<StockCommitted>().len(), 1);
    assert_eq!(get(&router, "/furniture/1").await.body["available"], 1);
}

#[test]
fn the_consumer_reacts_to_what_the_topology_sends_it() {
    let mut expected: Vec<_> = topology::EVENTS
        .iter()
        .filter(|row| row.heard_by.contains(&furniture::NAME))
        .map(|row| row.event_type)
        .collect();
    expected.sort_unstable();
    assert_eq!(consumer().name(), furniture::NAME);
    assert_eq!(consumer().event_types(), expected);
}

#[tokio::test]
async fn the_catalogue_works_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("furniture_{}", clock::new_id().simple());
    let store = store::Store::open(&store::Database::Postgres { url, schema }, MIGRATIONS).unwrap();
    let router = furniture::doors(store).open_house();
    let chair = json!({ "name": "Chair", "category": "Office", "price": 19.9, "stockLevel": 2 });
    assert_eq!(post(&router, "/furniture", &chair).await.body["id"], 3);
    assert_eq!(put(&router, "/furniture/3", &chair).await.body["price"], 19.9);
    assert_eq!(delete(&router, "/furniture/3").await.status, StatusCode::OK);
    assert_eq!(post(&router, "/furniture", &chair).await.body["id"], 4);
    assert_eq!(get(&router, "/furniture?limit=2&after=1").await.body[1]["id"], 4);
}
