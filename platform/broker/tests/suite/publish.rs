//! Publish, filters, and the two doors seeing one another's messages.

use base64::Engine;
use http::Method;
use serde_json::json;

use crate::harness::{SUBSCRIPTION, TOPIC, World, message, text, with_attributes};

#[tokio::test]
async fn published_messages_are_pulled_with_ids_that_rise_and_times() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;

    let ids = world.publish(vec![message("a"), with_attributes("b", &[("k", "v")])]).await.unwrap();

    let received = world.pull().await;
    assert_eq!(received.iter().map(text).collect::<Vec<_>>(), ["a", "b"]);
    let messages: Vec<_> = received.iter().map(|r| r.message.clone().unwrap()).collect();
    assert_eq!(messages.iter().map(|m| m.message_id.clone()).collect::<Vec<_>>(), ids);
    assert!(ids[0].parse::<u64>().unwrap() < ids[1].parse().unwrap());
    assert!(messages[0].publish_time.as_ref().unwrap().seconds > 1_700_000_000);
    assert_eq!(messages[1].attributes["k"], "v");
    assert_eq!(received[0].delivery_attempt, 0);
}

#[tokio::test]
async fn a_subscription_gets_what_is_published_after_it_was_created() {
    let mut world = World::with_topic().await;
    world.say(&["before"]).await;
    world.subscription(|_| {}).await;
    world.say(&["after"]).await;
    assert_eq!(world.texts().await, ["after"]);
    world.crash().await;
    assert_eq!(world.texts().await, ["after"]);
}

#[tokio::test]
async fn only_messages_that_pass_the_filter_are_delivered_and_the_rest_is_acked() {
    let mut world = World::with_topic().await;
    let filter = r#"(NOT attributes:ce-replaytarget OR attributes.ce-replaytarget = "oms")"#;
    world.subscription(|s| s.filter = filter.to_owned()).await;
    let target = |text, consumer| with_attributes(text, &[("ce-replaytarget", consumer)]);
    world.publish(vec![message("plain"), target("ours", "oms"), target("theirs", "crm")]).await.unwrap();

    let figures = world.broker.as_ref().unwrap().stats().subscriptions.remove(0);
    assert_eq!(figures.backlog, 2);
    assert_eq!(world.texts().await, ["plain", "ours"]);
    world.crash().await;
    assert_eq!(world.texts().await, ["plain", "ours"]);
}

#[tokio::test]
async fn rest_and_grpc_speak_of_the_same_messages() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let body = json!({"messages": [
        {"data": "aGVsbG8", "attributes": {"snake_case": "v"}, "ordering_key": "k"},
        {"data": "-_-_", "orderingKey": "k"},
    ]});
    let (status, answer) = world.rest(Method::POST, &format!("/v1/{TOPIC}:publish"), &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["messageIds"].as_array().unwrap().len(), 2);
    let received = world.pull().await;
    let first = received[0].message.as_ref().unwrap();
    assert_eq!((&first.data[..], first.ordering_key.as_str()), (&b"hello"[..], "k"));
    assert_eq!(first.attributes["snake_case"], "v");
    world.ack(&received).await;

    world.publish(vec![with_attributes("hi", &[("a", "b")])]).await.unwrap();
    let (status, pulled) =
        world.rest(Method::POST, &format!("/v1/{SUBSCRIPTION}:pull"), r#"{"maxMessages": 10}"#).await;
    assert_eq!(status, 200);
    let one = &pulled["receivedMessages"][0];
    assert_eq!(one["message"]["data"], base64::engine::general_purpose::STANDARD.encode("hi"));
    assert_eq!(one["message"]["attributes"], json!({"a": "b"}));
    assert!(one["message"]["publishTime"].as_str().unwrap().ends_with('Z'));
    let ack = json!({"ackIds": [one["ackId"]]}).to_string();
    assert_eq!(world.rest(Method::POST, &format!("/v1/{SUBSCRIPTION}:acknowledge"), &ack).await, (200, json!({})));
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 0);
}

#[tokio::test]
async fn publishing_to_no_topic_is_not_found() {
    let mut world = World::new().await;
    assert_eq!(world.publish(vec![message("a")]).await.unwrap_err().code(), tonic::Code::NotFound);
    let (status, answer) =
        world.rest(Method::POST, &format!("/v1/{TOPIC}:publish"), r#"{"messages":[{"data":"YQ=="}]}"#).await;
    assert_eq!((status, answer["error"]["status"].as_str()), (404, Some("NOT_FOUND")));
}
