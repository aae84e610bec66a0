//! An order's progress as server-sent events.

use axum::body::Body;
use axum::http::Request;
use gateway::{Config, StreamLimits};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::world::{CUSTOMER, ID, World};

/// `facts` as OMS's story has them, a second apart.
fn story(facts: &[&str]) -> Value {
    let said: Vec<Value> = facts
        .iter()
        .zip(1..)
        .map(|(fact, at)| {
            json!({ "id": format!("e-{at}"), "eventType": format!("com.onlineboutique.{fact}.v1"), "causationId": null,
                "atMs": at * 1_000, "sentAtMs": null, "topic": "order-events", "data": { "secret": "payload" } })
        })
        .collect();
    json!({ "said": said, "handled": [] })
}

async fn world(facts: &[&str], change: impl FnOnce(&mut Config)) -> World {
    World::with(change)
        .await
        .on(&format!("GET oms/orders/{ID}"), 200, json!({ "orderId": ID, "customerId": "anna" }))
        .on(&format!("GET oms/events/{ID}"), 200, story(facts))
}

/// A stream of Anna's order.
async fn open(world: &World, headers: &[(&str, &str)]) -> axum::response::Response {
    let token = format!("Bearer {}", world.clients.token("anna", CUSTOMER));
    let headers = [&[("authorization", token.as_str())], headers].concat();
    world.open("GET", &format!("/v1/orders/{ID}/events"), &headers, "").await
}

/// What comes of a stream up to and with `last`.
async fn until(body: &mut Body, last: &str) -> String {
    let mut text = String::new();
    while !text.contains(last) {
        let frame = body.frame().await.unwrap_or_else(|| panic!("the stream ended after {text}")).unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    text
}

/// The ids of the events in a stream's text.
fn ids(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}

#[tokio::test]
async fn an_orders_facts_come_as_they_happen_and_the_stream_ends_with_the_order() {
    let world = world(&["order.confirmed"], |_| {}).await;
    let response = open(&world, &[]).await;
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (200.try_into().unwrap(), &"text/event-stream".parse().unwrap())
    );
    let mut body = response.into_body();
    let first = until(&mut body, "e-1").await;
    assert!(first.starts_with("retry: 2000\n\n"), "{first}");
    assert!(first.contains(r#"data: {"at":"1970-01-01T00:00:01Z","by":"oms","fact":"order.confirmed"}"#), "{first}");
    assert!(!first.contains("payload"), "payloads stay inside");
    let all = ["order.confirmed", "risk.fraud_cleared", "billing.invoice_issued", "order.completed"];
    world.say(&format!("GET oms/events/{ID}"), 200, story(&all));
    let rest = until(&mut body, "event: end").await;
    assert_eq!(ids(&rest), ["e-3", "e-4", "end"], "what concerns the risk is not for customers");
    assert!(body.frame().await.is_none(), "it ends");
}

#[tokio::test]
async fn a_client_that_comes_back_hears_what_it_has_not_heard() {
    let world = world(&["order.confirmed", "billing.invoice_issued", "order.completed"], |_| {}).await;
    for (last, expected) in
        [("e-1", &["e-2", "e-3", "end"][..]), ("e-3", &["end"]), ("e-99", &["e-1", "e-2", "e-3", "end"])]
    {
        let mut body = open(&world, &[("last-event-id", last)]).await.into_body();
        assert_eq!(ids(&until(&mut body, "event: end").await), expected, "after {last}");
    }
    let done = open(&world, &[("last-event-id", "end")]).await;
    assert_eq!(done.status(), 204, "there is nothing more to come for");
}

#[tokio::test]
async fn streams_of_one_order_ask_once() {
    let world = world(&["order.confirmed"], |_| {}).await;
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.push(open(&world, &[]).await.into_body());
    }
    for body in &mut bodies {
        until(body, "e-1").await;
    }
    let asked = world.asked().into_iter().filter(|asked| asked.line.contains("oms/events/")).count();
    assert!(asked <= 2, "five streams asked {asked} times");
}

#[tokio::test]
async fn a_subject_has_so_many_streams_and_all_together_so_many() {
    let few = |config: &mut Config| config.streams = StreamLimits { total: 3, per_subject: 2 };
    let world = world(&["order.confirmed"], few).await;
    let (one, two) = (open(&world, &[]).await, open(&world, &[]).await);
    assert_eq!(open(&world, &[]).await.status(), 429);
    drop(one);
    let three = open(&world, &[]).await;
    assert_eq!(three.status(), 200, "one was closed");
    let path = format!("/v1/orders/{ID}/events");
    let staff = async || {
        let token = format!("Bearer {}", world.clients.token("staff", "orders:read orders:any"));
        world.open("GET", &path, &[("authorization", &token)], "").await
    };
    let four = staff().await;
    assert_eq!(four.status(), 200);
    assert_eq!(staff().await.status(), 503);
    drop((two, three, four));
}

#[tokio::test]
async fn staff_hears_everything_and_an_order_that_is_not_there_is_404() {
    let world = world(&["order.confirmed", "risk.fraud_flagged", "order.cancelled"], |_| {}).await;
    let answer = world.get(&format!("/v1/orders/{ID}/events")).await;
    assert_eq!(ids(&answer.text), ["e-1", "e-2", "e-3", "end"]);
    let answer = world.get("/v1/orders/0190b8f2-7c1a-7000-8000-000000000009/events").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams() {
    let world = world(&["order.confirmed"], |_| {}).await;
    let nobody = runtime::Identity::open_house();
    let gateway = gateway::start("127.0.0.1:0".parse().unwrap(), world.config.clone(), &nobody).await.unwrap();
    let stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("/v1/orders/{ID}/events"))
        .header("host", "gateway")
        .header("authorization", format!("Bearer {}", world.clients.token("anna", CUSTOMER)));
    let response = sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = Body::new(response.into_body());
    until(&mut body, "e-1").await;
    gateway.stop().await;
    assert!(body.frame().await.is_none_or(|frame| frame.is_err()), "it ended");
}
