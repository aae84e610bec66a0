//! An order's progress as server-sent events.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures::future::join_all;
use gateway::{Config, StreamLimits};
use http_body_util::BodyExt;
use runtime::clock::Stopwatch;
use serde_json::{Value, json};

use crate::world::{CUSTOMER, ID, World};

/// `facts` as OMS's story has them, a second apart.
fn story(facts: &[&str]) -> Value {
    said(&facts.iter().zip(1..).map(|(fact, at_s)| (*fact, at_s)).collect::<Vec<_>>())
}

/// Facts and when they were said, in seconds.
fn said(facts: &[(&str, u32)]) -> Value {
    let said = |(fact, at_s): &(&str, u32)| {
        json!({ "id": format!("e-{at_s}"), "eventType": format!("com.onlineboutique.{fact}.v1"), "causationId": null,
            "atMs": at_s * 1_000, "sentAtMs": null, "topic": "order-events", "data": { "secret": "payload" } })
    };
    json!({ "said": facts.iter().map(said).collect::<Vec<_>>(), "handled": [] })
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

/// The facts in a stream's text by their own ids, and `end`.
fn ids(text: &str) -> Vec<String> {
    let data = |event: &str| serde_json::from_str::<Value>(event.split_once("\ndata: ")?.1).ok();
    let events = text.split("\n\n").filter_map(data);
    events.map(|data| data["id"].as_str().unwrap_or("end").to_owned()).collect()
}

/// What a client that heard `text` comes back with after each of its events.
fn places(text: &str) -> Vec<&str> {
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
    assert!(
        first.contains(r#"data: {"at":"1970-01-01T00:00:01Z","by":"oms","fact":"order.confirmed","id":"e-1"}"#),
        "{first}"
    );
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
    let whole = until(&mut open(&world, &[]).await.into_body(), "event: end").await;
    let places = places(&whole);
    for (last, expected) in [
        (places[0], &["e-2", "e-3", "end"][..]),
        (places[2], &["end"]),
        ("e-1", &["e-1", "e-2", "e-3", "end"]),
        ("before.1", &["e-1", "e-2", "e-3", "end"]),
    ] {
        let mut body = open(&world, &[("last-event-id", last)]).await.into_body();
        assert_eq!(ids(&until(&mut body, "event: end").await), expected, "after {last}");
    }
    let done = open(&world, &[("last-event-id", "end")]).await;
    assert_eq!(done.status(), 204, "there is nothing more to come for");
}

/// What one gateway heard late another one hears in its time. A client that goes from one to the other must not take its place on one
/// list for a place on the other.
#[tokio::test]
async fn a_client_that_comes_back_to_another_gateway_misses_nothing() {
    let mut world = world(&[], |_| {}).await;
    let events = format!("GET oms/events/{ID}");
    world.say(&events, 200, said(&[("order.confirmed", 1), ("order.on_hold", 3)]));
    let heard = until(&mut open(&world, &[]).await.into_body(), "e-3").await;
    let last = places(&heard)[1];
    let whole = [("order.confirmed", 1), ("billing.invoice_issued", 2), ("order.on_hold", 3), ("order.cancelled", 4)];
    world.say(&events, 200, said(&whole));
    world.replace_gateway();
    let mut body = open(&world, &[("last-event-id", last)]).await.into_body();
    let rest = ids(&until(&mut body, "event: end").await);
    assert!(rest.contains(&"e-2".to_owned()), "{rest:?} after {heard}");
}

/// More orders than may be asked about at once, and a service that takes every call and never answers.
#[tokio::test]
async fn a_silent_service_does_not_hold_up_the_streams() {
    const ORDERS: usize = 48;
    let mut world = World::with(|config| {
        (config.timeout_ms, config.part_timeout_ms) = (30_000, 30_000);
        config.streams = StreamLimits { total: ORDERS, per_subject: ORDERS };
    })
    .await
    .silent(&["crm"]);
    for number in 0..ORDERS {
        world = world
            .on(
                &format!("GET oms/orders/o-{number}"),
                200,
                json!({ "orderId": format!("o-{number}"), "customerId": "anna" }),
            )
            .on(&format!("GET oms/events/o-{number}"), 200, story(&["order.confirmed"]));
    }
    let token = format!("Bearer {}", world.clients.token("staff", "orders:read orders:any"));
    let watch = Stopwatch::start();
    let streams = (0..ORDERS).map(|number| {
        let (world, token) = (&world, token.as_str());
        async move {
            let path = format!("/v1/orders/o-{number}/events");
            let mut body = world.open("GET", &path, &[("authorization", token)], "").await.into_body();
            until(&mut body, "e-1").await;
        }
    });
    join_all(streams).await;
    assert!(watch.elapsed() < Duration::from_secs(20), "{:?}", watch.elapsed());
    let asked = world.asked().into_iter().filter(|asked| asked.line.starts_with("GET crm/events/")).count();
    assert!(asked < ORDERS, "the silent one was asked {asked} times");
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
