//! The REST doors.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post as on_post;
use events::Ledger;
use events::order::{CancellationReason, OrderCancelled, OrderReleased};
use events::risk::RiskLevel;
use oms::Config;
use runtime::request_id::REQUEST_ID;
use runtime::server::Server;
use runtime::{Identity, Outcome, Problem, RequestId};
use serde_json::{Value, json};
use support::*;
use testkit::{Answer, Scenario, get, post};
use tokio::net::TcpListener;

fn doors(shop: &Scenario) -> Router {
    oms::doors(shop.transactor().clone(), &Config::default(), &Identity::open_house()).open_house()
}

/// A warehouse that answers every stop with this, and counts.
async fn warehouse(status: StatusCode, body: Value) -> (Server, Config, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let body = body.clone();
        async move { (status, axum::Json(body)) }
    };
    let router = Router::new().route("/orders/{orderId}/stop", on_post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(listener, router).unwrap();
    let warehouse_url = format!("http://{}", server.address());
    (server, Config { warehouse_url, ..Config::default() }, asked)
}

fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{:?}", answer.body);
}

#[tokio::test]
async fn an_order_shows_where_it_stands_what_it_waits_for_and_how_it_got_there() {
    let shop = shop();
    let opening = confirmed(RiskLevel::Unknown);
    hear_all(&shop, &[opening.clone(), committed(), invoiced()]).await;
    let Answer { status, body } = get(&doors(&shop), "/orders/order-1").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["orderId"], "order-1");
    assert_eq!(body["status"], "confirmed");
    assert_eq!(body["customerId"], "jane-smith");
    assert_eq!(body["total"], json!({ "currencyCode": "USD", "units": 24, "nanos": 980_000_000 }));
    assert_eq!(body["placedAt"], "2026-01-01T00:00:00Z");
    assert_eq!(body["waitingFor"], json!(["risk"]));
    assert_eq!(body["lines"][0]["productId"], "66VCHSJNUP");
    let first =
        json!({ "type": "com.onlineboutique.order.confirmed.v1", "eventId": opening.id, "at": "2026-01-01T00:00:00Z" });
    assert_eq!(body["facts"][0], first);
    assert_eq!(body["facts"][1]["ledger"], "inventory");
    assert_eq!(body.get("cancellationReason"), None);

    hear_all(&shop, &[stock_rejected()]).await;
    let body = get(&doors(&shop), "/orders/order-1").await.body;
    assert_eq!((&body["status"], &body["cancellationReason"]), (&json!("cancelled"), &json!("stock_rejected")));
    assert_eq!(body["waitingFor"], json!([]));
}

#[tokio::test]
async fn unknown_orders_and_texts_that_are_no_id_are_not_found() {
    let shop = shop();
    for path in ["/orders/order-9", "/orders/no%20id", "/orders/%C3%A9"] {
        is_problem(&get(&doors(&shop), path).await, StatusCode::NOT_FOUND, "not_found");
    }
    for path in ["/orders/order-9/cancel", "/orders/no%20id/cancel"] {
        is_problem(&post(&doors(&shop), path, &Value::Null).await, StatusCode::NOT_FOUND, "not_found");
    }
    let role = json!({ "releasedBy": "reviewer" });
    is_problem(&post(&doors(&shop), "/orders/order-9/release", &role).await, StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn orders_are_listed_by_status_and_customer_in_pages() {
    let shop = shop();
    for number in 1..=5 {
        hear_all(&shop, &[confirmed_order(&format!("order-{number}"), &[Ledger::Inventory], RiskLevel::Low)]).await;
    }
    hear_all(&shop, &[committed_for("order-2", Ledger::Inventory), invoiced_for("order-2")]).await;
    hear_all(&shop, &[invoiced_for("order-6")]).await;
    let ids = |body: &Value| -> Vec<String> {
        body["orders"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
    };
    let all = get(&doors(&shop), "/orders").await.body;
    assert_eq!(ids(&all), ["order-1", "order-2", "order-3", "order-4", "order-5", "order-6"]);
    assert_eq!(all.get("next"), None);
    assert_eq!(all["orders"][5]["status"], "pending");
    assert_eq!(all["orders"][5]["total"], Value::Null);

    let page = get(&doors(&shop), "/orders?limit=2&after=order-2").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec!["order-3".into(), "order-4".into()], &json!("order-4")));
    let open = get(&doors(&shop), "/orders?status=confirmed&limit=3&after=order-1").await.body;
    assert_eq!(ids(&open), ["order-3", "order-4", "order-5"]);
    let hers = get(&doors(&shop), "/orders?customerId=jane-smith").await.body;
    assert_eq!(ids(&hers).len(), 5);
    let both = get(&doors(&shop), "/orders?customerId=jane-smith&status=fulfilling").await.body;
    assert_eq!(ids(&both), ["order-2"]);

    let summary = get(&doors(&shop), "/orders/summary").await.body;
    assert_eq!(
        summary,
        json!({ "pending": 1, "confirmed": 4, "on_hold": 0, "fulfilling": 1, "shipped": 0, "completed": 0,
                "cancelled": 0, "rejected": 0, "returned": 0 })
    );
}

#[tokio::test]
async fn a_list_nobody_can_make_is_refused() {
    let shop = shop();
    let queries = ["limit=0", "limit=501", "limit=x", "limit=-1", "status=lost", "customerId=no%20id", "customerId="];
    for query in queries {
        let answer = get(&doors(&shop), &format!("/orders?{query}")).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_field");
    }
}

#[tokio::test]
async fn an_order_the_warehouse_was_not_asked_about_is_cancelled_at_once_and_once() {
    let shop = shop();
    let opening = confirmed(RiskLevel::Low);
    hear_all(&shop, std::slice::from_ref(&opening)).await;
    let expected = json!({ "orderId": "order-1", "status": "cancelled", "cancellationReason": "by_customer" });
    for _ in 0..2 {
        let answer = post(&doors(&shop), "/orders/order-1/cancel", &Value::Null).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &expected));
    }
    hear_all(&shop, &[committed(), invoiced()]).await;
    assert_eq!(said(&shop), ["order.cancelled"], "and nothing is shipped after it");
    let said = shop.said();
    assert_eq!(said[0].attributes["ce-correlationid"], opening.id.as_str(), "it belongs to the order's story");
}

#[tokio::test]
async fn an_order_being_packed_is_cancelled_when_the_warehouse_stops_it() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced()]).await;
    let (server, config, asked) = warehouse(StatusCode::OK, json!({ "stopped": true })).await;
    let doors = oms::doors(shop.transactor().clone(), &config, &Identity::open_house()).open_house();
    let answer = post(&doors, "/orders/order-1/cancel", &Value::Null).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("cancelled")));
    let [cancelled]: [OrderCancelled; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(cancelled.reason, CancellationReason::ByCustomer);

    // The warehouse's own word comes later and changes nothing; neither does asking again.
    assert_eq!(shop.when(&shipment_failed()).await, Outcome::Handled(vec![]));
    assert_eq!(post(&doors, "/orders/order-1/cancel", &Value::Null).await.status, StatusCode::OK);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    server.stop().await;
}

/// Cancelling goes on in a task of its own; what it asks of others is still asked for this client.
#[tokio::test]
async fn the_warehouse_is_asked_to_stop_under_the_client_s_request_id() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced()]).await;
    let told = Arc::new(Mutex::new(None));
    let note = Arc::clone(&told);
    let stop = async move |headers: HeaderMap| {
        *note.lock().unwrap() = Some(RequestId::of(&headers));
        axum::Json(json!({ "stopped": true }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let router = Router::new().route("/orders/{orderId}/stop", on_post(stop));
    let server = Server::start(listener, router).unwrap();
    let config = Config { warehouse_url: format!("http://{}", server.address()), ..Config::default() };
    let doors = oms::doors(shop.transactor().clone(), &config, &Identity::open_house()).open_house();
    let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static("client-7"))]);
    let asked = RequestId::of(&headers);
    let answer = asked.clone().within(post(&doors, "/orders/order-1/cancel", &Value::Null)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(*told.lock().unwrap(), Some(asked));
    server.stop().await;
}

#[tokio::test]
async fn an_order_on_its_way_is_not_cancelled() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced()]).await;
    let refusal = serde_json::to_value(Problem::conflict("already_dispatched", "gone")).unwrap();
    let (server, config, asked) = warehouse(StatusCode::CONFLICT, refusal).await;
    let doors = oms::doors(shop.transactor().clone(), &config, &Identity::open_house()).open_house();
    is_problem(&post(&doors, "/orders/order-1/cancel", &Value::Null).await, StatusCode::CONFLICT, "already_dispatched");
    assert_eq!(status(&shop).await, "fulfilling");

    // Once OMS knows it itself, nobody needs to be asked.
    hear_all(&shop, &[dispatched(Ledger::Inventory)]).await;
    is_problem(&post(&doors, "/orders/order-1/cancel", &Value::Null).await, StatusCode::CONFLICT, "already_dispatched");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    hear_all(&shop, &[delivered(Ledger::Inventory, LATER)]).await;
    is_problem(&post(&doors, "/orders/order-1/cancel", &Value::Null).await, StatusCode::CONFLICT, "order_completed");
    assert_eq!(said(&shop), ["fulfillment.requested", "order.completed"]);
    server.stop().await;
}

/// OMS cannot reach the warehouse, or dies before it hears the answer: the customer is told to try again, and when the warehouse
/// did stop the order its own word ends it, as the customer's cancellation.
#[tokio::test]
async fn a_cancellation_cut_off_half_way_is_finished_by_the_warehouses_word() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced()]).await;
    let config = Config { peer_timeout: std::time::Duration::from_millis(50), ..Config::default() };
    let doors = oms::doors(shop.transactor().clone(), &config, &Identity::open_house()).open_house();
    is_problem(
        &post(&doors, "/orders/order-1/cancel", &Value::Null).await,
        StatusCode::SERVICE_UNAVAILABLE,
        "warehouse_unavailable",
    );
    assert_eq!(status(&shop).await, "fulfilling");
    hear_all(&shop, &[shipment_failed()]).await;
    let [cancelled]: [OrderCancelled; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(cancelled.reason, CancellationReason::ByCustomer);
}

#[tokio::test]
async fn a_released_order_goes_on_and_a_refused_one_ends() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), committed(), invoiced(), flagged()]).await;
    let answer = post(&doors(&shop), "/orders/order-1/release", &json!({ "releasedBy": "reviewer" })).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("fulfilling")));
    assert_eq!(said(&shop), ["order.on_hold", "order.released", "fulfillment.requested"]);
    let [released]: [OrderReleased; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(released.released_by, "reviewer");

    let other = support::shop();
    hear_all(&other, &[confirmed(RiskLevel::Unknown), flagged()]).await;
    let answer = post(&doors(&other), "/orders/order-1/refuse", &json!({ "refusedBy": "reviewer" })).await;
    assert_eq!(answer.body["cancellationReason"], "fraud_confirmed");
    assert_eq!(said(&other), ["order.on_hold", "order.cancelled"]);
}

#[tokio::test]
async fn an_order_released_early_still_waits_for_stock() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), flagged()]).await;
    let answer = post(&doors(&shop), "/orders/order-1/release", &json!({ "releasedBy": "deadline" })).await;
    assert_eq!(answer.body["status"], "confirmed");
    hear_all(&shop, &[committed(), invoiced()]).await;
    assert_eq!(said(&shop), ["order.on_hold", "order.released", "fulfillment.requested"]);
}

#[tokio::test]
async fn only_an_order_on_hold_waits_for_a_persons_word() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    for (path, body) in
        [("release", json!({ "releasedBy": "reviewer" })), ("refuse", json!({ "refusedBy": "reviewer" }))]
    {
        let answer = post(&doors(&shop), &format!("/orders/order-1/{path}"), &body).await;
        is_problem(&answer, StatusCode::CONFLICT, "not_on_hold");
    }
}

#[tokio::test]
async fn hostile_bodies_are_refused_by_name_of_the_field() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), flagged()]).await;
    let bodies =
        [json!(null), json!([]), json!("x"), json!({}), json!({ "releasedBy": 7 }), json!({ "releasedBy": "Bob" })];
    for body in bodies {
        let answer = post(&doors(&shop), "/orders/order-1/release", &body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_field");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = testkit::request(&doors(&shop), axum::http::Method::POST, "/orders/order-1/release", deep).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(status(&shop).await, "on_hold");
}

#[tokio::test]
async fn two_who_cancel_at_once_cancel_once() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    let doors = doors(&shop);
    let (one, other) = tokio::join!(
        post(&doors, "/orders/order-1/cancel", &Value::Null),
        post(&doors, "/orders/order-1/cancel", &Value::Null),
    );
    assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(said(&shop), ["order.cancelled"]);
}
