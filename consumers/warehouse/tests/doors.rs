//! The REST doors.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use axum::http::{Method, StatusCode};
use events::fulfillment::ShipmentFailed;
use runtime::Outcome;
use serde_json::{Value, json};
use support::*;
use testkit::{Answer, get, post};
use warehouse::Delays;

fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{:?}", answer.body);
}

fn body(products: &[&str]) -> Value {
    serde_json::to_value(request(products)).unwrap()
}

async fn stop(house: &House) -> Answer {
    post(&house.doors, "/orders/order-1/stop", &json!({})).await
}

#[tokio::test]
async fn the_call_and_the_event_for_one_order_have_one_effect() {
    let house = House::new(SLOW).await;
    let first = post(&house.doors, "/shipments", &body(&["LAMP", "FURN-1"])).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(house.scenario.when(&requested(&["LAMP", "FURN-1"])).await, Outcome::Handled(vec![]));
    let again = post(&house.doors, "/shipments", &body(&["LAMP", "FURN-1"])).await;
    assert_eq!(again, first);
    assert_eq!(house.said(), ["shipment_created", "shipment_created"]);

    let other = House::new(SLOW).await;
    assert!(matches!(other.scenario.when(&requested(&["LAMP", "FURN-1"])).await, Outcome::Handled(_)));
    let answer = post(&other.doors, "/shipments", &body(&["LAMP", "FURN-1"])).await;
    assert_eq!(answer.body["shipments"][0]["shipmentId"], first.body["shipments"][0]["shipmentId"]);
    assert_eq!(other.said(), ["shipment_created", "shipment_created"]);
}

#[tokio::test]
async fn a_shipment_asked_for_by_call_moves_on_like_any_other() {
    let house = House::new(SLOW).await;
    post(&house.doors, "/shipments", &body(&["LAMP", "FURN-1"])).await;
    house.progress(3_700_000).await;
    house.progress(7_400_000).await;
    assert_eq!(house.statuses().await, ["delivered", "delivered"]);
    assert_eq!(house.said().len(), 6);
}

#[tokio::test]
async fn shipments_are_shown_with_carrier_and_number_once_they_left() {
    let house = House::new(SLOW).await;
    post(&house.doors, "/shipments", &body(&["LAMP"])).await;
    let Answer { status, body } = get(&house.doors, "/shipments?orderId=order-1").await;
    assert_eq!((status, body["shipments"].as_array().unwrap().len()), (StatusCode::OK, 1));
    let shipment = &body["shipments"][0];
    assert_eq!(
        (&shipment["orderId"], &shipment["ledger"], &shipment["status"], &shipment["location"]),
        (&json!("order-1"), &json!("inventory"), &json!("created"), &json!("Aisle 1"))
    );
    assert_eq!(shipment["lines"], json!([{ "productId": "LAMP", "quantity": 2 }]));
    assert_eq!((&shipment["carrier"], &shipment["dispatchedAt"]), (&Value::Null, &Value::Null));

    house.progress(3_700_000).await;
    let path = format!("/shipments/{}", shipment["shipmentId"].as_str().unwrap());
    let shipment = get(&house.doors, &path).await.body;
    assert_eq!((&shipment["status"], &shipment["carrier"]), (&json!("dispatched"), &json!("Boutique Parcel")));
    assert!(shipment["trackingNumber"].is_string() && shipment["dispatchedAt"].is_string());
    assert_eq!(shipment["deliveredAt"], Value::Null);
}

#[tokio::test]
async fn shipments_are_listed_in_pages() {
    let house = House::new(SLOW).await;
    for number in 1..=3 {
        let body = json!({ "orderId": format!("order-{number}"), "lines": [line("LAMP"), line("FURN-1")] });
        assert_eq!(post(&house.doors, "/shipments", &body).await.status, StatusCode::CREATED);
    }
    let (mut seen, mut path) = (Vec::new(), "/shipments?limit=4".to_owned());
    loop {
        let page = get(&house.doors, &path).await.body;
        seen.extend(page["shipments"].as_array().unwrap().iter().map(|one| one["shipmentId"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/shipments?limit=4&after={next}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 6);
    assert_eq!(get(&house.doors, "/shipments?orderId=order-9").await.body, json!({ "shipments": [] }));
    for query in ["limit=0", "limit=501", "limit=x", "orderId=no%20id", "orderId="] {
        is_problem(&get(&house.doors, &format!("/shipments?{query}")).await, StatusCode::BAD_REQUEST, "invalid_field");
    }
    for path in ["/shipments/nowhere", "/shipments/no%20id"] {
        is_problem(&get(&house.doors, path).await, StatusCode::NOT_FOUND, "not_found");
    }
}

#[tokio::test]
async fn an_order_being_packed_is_stopped_once() {
    let house = House::new(SLOW).await;
    let cause = requested(&["LAMP", "FURN-1"]);
    assert!(matches!(house.scenario.when(&cause).await, Outcome::Handled(_)));
    for _ in 0..2 {
        assert_eq!(stop(&house).await, Answer { status: StatusCode::OK, body: json!({ "stopped": true }) });
    }
    house.progress(i64::from(u32::MAX)).await;
    assert_eq!(house.statuses().await, ["cancelled", "cancelled"]);
    let [failed]: [ShipmentFailed; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(failed.code, "stopped");
    let last = house.scenario.said().pop().unwrap();
    assert_eq!(last.attributes["ce-correlationid"], cause.correlation_id.as_str());
    is_problem(&post(&house.doors, "/shipments", &body(&["LAMP"])).await, StatusCode::CONFLICT, "stopped");
}

#[tokio::test]
async fn a_stop_that_comes_before_the_request_is_remembered() {
    let house = House::new(Delays::NONE).await;
    assert_eq!(stop(&house).await.status, StatusCode::OK);
    assert_eq!(stop(&house).await.status, StatusCode::OK);
    assert_eq!(house.said(), [""; 0], "nobody asked to ship yet");
    assert!(matches!(house.scenario.when(&requested(&["LAMP"])).await, Outcome::Handled(_)));
    is_problem(&post(&house.doors, "/shipments", &body(&["LAMP"])).await, StatusCode::CONFLICT, "stopped");
    assert_eq!(house.said(), ["shipment_failed"]);
    assert_eq!(house.statuses().await, [""; 0]);
}

#[tokio::test]
async fn an_order_of_which_anything_left_is_not_stopped() {
    let house = House::new(SLOW).await;
    post(&house.doors, "/shipments", &body(&["LAMP", "FURN-1"])).await;
    let half = "UPDATE shipments SET due_at_ms = 0 WHERE ledger = 'inventory'";
    house.scenario.given(move |tx| tx.execute(half, &[])).await;
    house.progress(0).await;
    assert_eq!(house.statuses().await, ["dispatched", "created"]);
    is_problem(&stop(&house).await, StatusCode::CONFLICT, "already_dispatched");
    assert_eq!(house.statuses().await, ["dispatched", "created"], "and nothing was changed");
    house.progress(i64::from(u32::MAX)).await;
    is_problem(&stop(&house).await, StatusCode::CONFLICT, "already_dispatched");
}

/// The race a customer can cause: either the shipment leaves and the stop is refused, or it is stopped and never leaves.
#[tokio::test]
async fn stop_and_dispatch_at_once_never_both_win() {
    for _ in 0..20 {
        let house = House::new(SLOW).await;
        post(&house.doors, "/shipments", &body(&["LAMP"])).await;
        let (answer, ()) = tokio::join!(stop(&house), house.progress(3_700_000));
        let expected = if answer.status == StatusCode::OK { "cancelled" } else { "dispatched" };
        assert_eq!(house.statuses().await, [expected]);
        let dispatched = house.said().contains(&"shipment_dispatched".to_owned());
        assert_eq!(dispatched, expected == "dispatched");
    }
}

#[tokio::test]
async fn a_cancelled_order_is_stopped_already() {
    let house = House::new(SLOW).await;
    assert!(matches!(house.scenario.when(&requested(&["LAMP"])).await, Outcome::Handled(_)));
    assert!(matches!(house.scenario.when(&cancelled()).await, Outcome::Handled(_)));
    assert_eq!(stop(&house).await.status, StatusCode::OK);
    assert_eq!(house.said(), ["shipment_created"]);
    is_problem(&post(&house.doors, "/shipments", &body(&["LAMP"])).await, StatusCode::CONFLICT, "cancelled");
}

#[tokio::test]
async fn what_cannot_be_found_is_refused_and_said_once() {
    let house = House::new(SLOW).await;
    for _ in 0..2 {
        let answer = post(&house.doors, "/shipments", &body(&["LAMP", "LOST"])).await;
        is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "unknown_location");
    }
    assert_eq!(house.said(), ["shipment_failed"]);
}

#[tokio::test]
async fn without_the_ledgers_the_call_is_refused_for_now() {
    let mut house = House::new(SLOW).await;
    house.lose_ledgers().await;
    let answer = post(&house.doors, "/shipments", &body(&["LAMP"])).await;
    is_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "peer_unavailable");
}

#[tokio::test]
async fn hostile_bodies_are_refused_by_name_of_the_field() {
    let house = House::new(SLOW).await;
    let good = body(&["LAMP"]);
    let with = |path: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let cases = [
        (json!(null), ""),
        (json!({}), ""),
        (with("/orderId", json!("no id")), "orderId"),
        (with("/orderId", json!(7)), "orderId"),
        (with("/lines", json!([])), "lines"),
        (with("/lines", json!("x")), "lines"),
        (with("/lines/0/quantity", json!(0)), "lines[0].quantity"),
        (with("/lines/0/quantity", json!(-1)), "lines[0].quantity"),
        (with("/lines/0/quantity", json!(10_001)), "lines[0].quantity"),
        (with("/lines/0/ledger", json!("moon")), "lines[0].ledger"),
        (with("/lines/0/productId", json!("x&ids=LAMP")), "lines[0].productId"),
        (with("/lines/0/unitPrice/units", json!(-1)), "lines[0].unitPrice"),
        (with("/lines", json!(vec![line("LAMP"); 101])), "lines"),
    ];
    for (body, path) in cases {
        let answer = post(&house.doors, "/shipments", &body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_field");
        let named = answer.body["errors"][0]["path"].as_str().unwrap();
        assert!(named.starts_with(path), "{named} for {body}");
    }
    let huge = "x".repeat(300 * 1024);
    let answer = testkit::request(&house.doors, Method::POST, "/shipments", huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/orders/no%20id/stop", "/returns/no%20id/received"] {
        is_problem(&post(&house.doors, path, &Value::Null).await, StatusCode::NOT_FOUND, "not_found");
    }
    assert_eq!(house.said(), [""; 0]);
}
