//! The push endpoint over HTTP: every envelope shape, and what bad ones get.

use std::net::SocketAddr;
use std::sync::Arc;

use bus::Outgoing;
use bytes::Bytes;
use events::pubsub::Message;
use events::{Encoded, Envelope};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use runtime::{Base, Consumer, Doors, Foundation, Identity, Peer, Publishing, Running, Service};
use serde_json::{Value, json};
use store::Database;
use testkit::{SimulatedBus, event};

use crate::fixture::{Invoice, MIGRATIONS, cancelled};

struct Shop {
    bus: Arc<SimulatedBus>,
    running: Running,
    peer: Peer,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bus = Arc::new(SimulatedBus::default());
        let base = Base {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: Database::Sqlite { path: folder.path().join("push.db") },
            bus: Arc::clone(&bus) as _,
            identity: Identity::open_house(),
        };
        let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
        let service = Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on(Invoice));
        let running = service.start(base.listen).await.unwrap();
        let peer =
            Peer::new("accounting", &format!("http://{}", running.address()), std::time::Duration::from_secs(10));
        Self { bus, running, peer, _folder: folder }
    }

    async fn push(&self, body: impl Into<Bytes>) -> (StatusCode, Value) {
        self.push_with(HeaderMap::new(), body).await
    }

    async fn push_with(&self, headers: HeaderMap, body: impl Into<Bytes>) -> (StatusCode, Value) {
        let reply = self.peer.forward(Method::POST, "/", headers, body.into()).await.unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    fn taken(&self) -> Vec<Outgoing> {
        self.bus.taken()
    }
}

pub fn wrapped(message: &Message) -> Value {
    use base64::Engine;
    let data = base64::prelude::BASE64_STANDARD.encode(&message.data);
    json!({ "message": { "attributes": message.attributes, "data": data, "messageId": "77", "message_id": "77",
                         "publishTime": "2026-01-01T00:00:00Z" },
            "subscription": "projects/local/subscriptions/order-events.accounting" })
}

fn message(order: &str) -> Message {
    event(cancelled(order)).from("oms").seal().into()
}

fn ce_headers(envelope: &Envelope<Encoded>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in Message::from(envelope.clone()).attributes {
        let name: HeaderName = name.to_lowercase().parse().unwrap();
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    headers
}

#[tokio::test]
async fn wrapped_binary_structured_and_eventarc_pushes_are_the_same_event() {
    let shop = Shop::open().await;
    let envelope = event(cancelled("O1")).from("oms").seal();
    let message = Message::from(envelope.clone());

    let (status, _) = shop.push(wrapped(&message).to_string()).await;
    assert_eq!((status, shop.taken().len()), (StatusCode::NO_CONTENT, 1));

    let (status, _) = shop.push_with(ce_headers(&envelope), envelope.data.0.clone()).await;
    assert_eq!((status, shop.taken().len()), (StatusCode::NO_CONTENT, 1), "binary");

    let mut structured = json!({ "data": serde_json::from_str::<Value>(&envelope.data.0).unwrap(),
                                 "datacontenttype": "application/json" });
    for (name, value) in &message.attributes {
        if let Some(name) = name.strip_prefix("ce-") {
            structured[name] = value.clone().into();
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    let (status, answer) = shop.push_with(headers, structured.to_string()).await;
    assert_eq!((status, shop.taken().len()), (StatusCode::NO_CONTENT, 1), "structured: {answer}");

    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "77"),
        ("ce-source", "//pubsub.googleapis.com/projects/local/topics/order-events"),
        ("ce-type", "google.cloud.pubsub.topic.v1.messagePublished"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let (status, _) = shop.push_with(headers, wrapped(&message).to_string()).await;
    assert_eq!((status, shop.taken().len()), (StatusCode::NO_CONTENT, 1), "eventarc");
    shop.running.stop().await;
}

#[tokio::test]
async fn each_shape_is_handled_when_it_comes_first() {
    let shop = Shop::open().await;
    let binary = event(cancelled("O2")).from("oms").seal();
    shop.push_with(ce_headers(&binary), binary.data.0.clone()).await;
    assert_eq!(shop.taken().len(), 1);
    assert_eq!(shop.taken()[0].attributes["ce-causationid"], binary.id.to_string());
}

#[tokio::test]
async fn a_transient_failure_asks_for_redelivery_and_a_permanent_one_does_not() {
    let shop = Shop::open().await;
    let (status, problem) = shop.push(wrapped(&message("later")).to_string()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("changed_meanwhile")));
    let (status, _) = shop.push(wrapped(&message("never")).to_string()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(shop.taken()[0].topic, "accounting.dead-letters");
}

#[tokio::test]
async fn a_push_of_another_consumer_s_subscription_is_sent_back_unheard() {
    let shop = Shop::open().await;
    let mut push = wrapped(&message("O1"));
    push["subscription"] = "projects/local/subscriptions/order-events.inventory".into();
    let (status, problem) = shop.push(push.to_string()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::MISDIRECTED_REQUEST, &json!("misdirected")));
    assert!(shop.taken().is_empty());
    let attempts: Value = shop.peer.get("/attempts?orderId=O1").await.unwrap();
    assert_eq!(attempts["attempts"], json!([]), "nothing failed here");
    // Whoever chose a name of their own decided where it goes.
    push["subscription"] = "projects/p/subscriptions/eventarc-europe-west1-orders-sub-042".into();
    let (status, _) = shop.push(push.to_string()).await;
    assert_eq!((status, shop.taken().len()), (StatusCode::NO_CONTENT, 1));
}

#[tokio::test]
async fn what_is_no_push_at_all_gets_a_problem() {
    let shop = Shop::open().await;
    for body in
        ["", "{", "[]", "{\"message\":7}", "{\"message\":{\"data\":\"***\"}}", "{\"message\":{\"data\":\"e30=\"}}"]
    {
        let (status, problem) = shop.push(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(problem["detail"].is_string(), "{body}");
    }
    let (status, _) = shop.push(vec![b'x'; runtime_limit() + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

fn runtime_limit() -> usize {
    512 * 1024
}

#[tokio::test]
async fn a_broken_event_with_a_name_is_kept_as_a_dead_letter() {
    let shop = Shop::open().await;
    let mut broken = Vec::new();
    for (name, value) in [("ce-time", "yesterday"), ("ce-partitionkey", ""), ("ce-specversion", "0.3")] {
        let mut message = message("O1");
        message.attributes.insert(name.to_owned(), value.to_owned());
        broken.push(wrapped(&message));
    }
    let mut unread = wrapped(&message("O1"));
    unread["message"]["data"] = json!("not base64!");
    broken.push(unread);
    let mut nameless = wrapped(&message("O1"));
    nameless["message"]["attributes"].as_object_mut().unwrap().remove("ce-id");
    broken.push(nameless);
    let mut wrong = message("O1");
    wrong.data = br#"{"orderId":"O1","reason":"no such reason"}"#.to_vec();
    broken.push(wrapped(&wrong));
    for (index, push) in broken.iter().enumerate() {
        let (status, _) = shop.push(push.to_string()).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{push}");
        let taken = shop.taken();
        assert_eq!(taken.len(), index + 1, "{push}");
        assert_eq!(taken[index].topic, "accounting.dead-letters");
    }
    assert!(shop.taken().last().unwrap().attributes["dlreason"].contains("reason"));
}

#[tokio::test]
async fn the_story_of_an_order_tells_what_was_said_and_handled() {
    let shop = Shop::open().await;
    shop.push(wrapped(&message("O1")).to_string()).await;
    let story: runtime::Story = shop.peer.get("/events/O1").await.unwrap();
    assert_eq!((story.said.len(), story.handled.len()), (1, 1));
    assert_eq!(story.said[0].causation_id.as_deref(), Some(story.handled[0].id.as_str()));
    let nothing: runtime::Story = shop.peer.get("/events/O9").await.unwrap();
    assert_eq!(nothing, runtime::Story::default());
}
