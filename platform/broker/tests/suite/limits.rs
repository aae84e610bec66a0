//! What the service refuses, refused with its codes.

use std::time::Duration;

use google_cloud_googleapis::pubsub::v1 as pb;
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::harness::{DEAD, SUBSCRIPTION, TOPIC, World, message, soon, with_attributes};

#[tokio::test]
async fn publishes_beyond_the_limits_are_refused_and_store_nothing() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let many: Vec<(String, String)> = (0..101).map(|i| (format!("k{i}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let keyed = |key: &str| pb::PubsubMessage { ordering_key: key.to_owned(), ..message("a") };
    let long = "l".repeat(1025);
    for (bad, why) in [
        (vec![], "no message"),
        (vec![message("a"); 1001], "1001 messages"),
        (vec![message(&"x".repeat(10_000_001))], "10 MB"),
        (vec![message("a"), message("")], "an empty message"),
        (vec![with_attributes("a", &many)], "101 attributes"),
        (vec![with_attributes("a", &[("", "v")])], "an empty key"),
        (vec![with_attributes("a", &[(&long[..257], "v")])], "a long key"),
        (vec![with_attributes("a", &[("k", &long)])], "a long value"),
        (vec![with_attributes("a", &[("google.id", "v")])], "the prefix goog"),
        (vec![keyed(&long)], "a long ordering key"),
        (vec![keyed("a"), keyed("b")], "two ordering keys"),
        (vec![keyed("a"), message("b")], "an ordering key and none"),
    ] {
        let refusal = world.publish(bad).await.expect_err(why);
        assert_eq!(refusal.code(), Code::InvalidArgument, "{why}: {refusal}");
    }
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 0);
    let most = with_attributes("", &[(&long[..256], &long[..1024])]);
    world.publish(vec![most]).await.unwrap();
    world.publish(vec![keyed(&long[..1024]); 1000]).await.unwrap();
}

#[tokio::test]
async fn bad_subscriptions_are_refused_at_creation() {
    let mut world = World::with_topic().await;
    let duration = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let push = |url: &str| Some(pb::PushConfig { push_endpoint: url.to_owned(), ..Default::default() });
    let dead = |n| Some(pb::DeadLetterPolicy { dead_letter_topic: TOPIC.to_owned(), max_delivery_attempts: n });
    type Change = Box<dyn Fn(&mut pb::Subscription)>;
    let cases: Vec<(Code, Change)> = vec![
        (Code::InvalidArgument, Box::new(|s| s.name = "projects/p/subscriptions/x".to_owned())),
        (Code::InvalidArgument, Box::new(|s| s.name = "projects/p/subscriptions/google".to_owned())),
        (Code::InvalidArgument, Box::new(|s| s.topic = "order-events".to_owned())),
        (Code::NotFound, Box::new(|s| s.topic = "projects/p/topics/nothing".to_owned())),
        (Code::InvalidArgument, Box::new(|s| s.ack_deadline_seconds = 9)),
        (Code::InvalidArgument, Box::new(|s| s.ack_deadline_seconds = 601)),
        (Code::InvalidArgument, Box::new(|s| s.filter = "attributes.k = v".to_owned())),
        (Code::InvalidArgument, Box::new(|s| s.filter = format!("attributes:{}", "k".repeat(250)))),
        (Code::InvalidArgument, Box::new(move |s| s.dead_letter_policy = dead(4))),
        (Code::InvalidArgument, Box::new(move |s| s.dead_letter_policy = dead(101))),
        (
            Code::NotFound,
            Box::new(|s| {
                s.dead_letter_policy =
                    Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
            }),
        ),
        (Code::InvalidArgument, Box::new(move |s| s.message_retention_duration = duration(599))),
        (
            Code::InvalidArgument,
            Box::new(move |s| {
                s.retry_policy =
                    Some(pb::RetryPolicy { minimum_backoff: duration(601), maximum_backoff: duration(602) });
            }),
        ),
        (
            Code::InvalidArgument,
            Box::new(move |s| {
                s.retry_policy = Some(pb::RetryPolicy { minimum_backoff: duration(20), maximum_backoff: duration(10) });
            }),
        ),
        (Code::InvalidArgument, Box::new(move |s| s.push_config = push("not a url"))),
        (Code::InvalidArgument, Box::new(move |s| s.push_config = push("/path"))),
        (Code::InvalidArgument, Box::new(move |s| s.push_config = push("https://user@example.com/"))),
        (Code::InvalidArgument, Box::new(|s| s.bigquery_config = Some(pb::BigQueryConfig::default()))),
        (
            Code::InvalidArgument,
            Box::new(move |s| (s.enable_exactly_once_delivery, s.push_config) = (true, push("http://localhost/"))),
        ),
        (Code::InvalidArgument, Box::new(|s| s.detached = true)),
        (Code::Unimplemented, Box::new(|s| s.cloud_storage_config = Some(pb::CloudStorageConfig::default()))),
        (Code::Unimplemented, Box::new(|s| s.message_transforms = vec![pb::MessageTransform::default()])),
        (
            Code::InvalidArgument,
            Box::new(move |s| s.expiration_policy = Some(pb::ExpirationPolicy { ttl: duration(86_399) })),
        ),
    ];
    for (i, (code, change)) in cases.into_iter().enumerate() {
        let mut config =
            pb::Subscription { name: SUBSCRIPTION.to_owned(), topic: TOPIC.to_owned(), ..Default::default() };
        change(&mut config);
        let refusal = world.subscriber.create_subscription(config).await.expect_err(&format!("case {i}"));
        assert_eq!(refusal.code(), code, "case {i}: {refusal}");
    }
    let list = pb::ListSubscriptionsRequest { project: "projects/p".to_owned(), ..Default::default() };
    assert!(world.subscriber.list_subscriptions(list).await.unwrap().into_inner().subscriptions.is_empty());
}

#[tokio::test]
async fn what_is_not_implemented_is_refused_by_name() {
    let mut world = World::with_topic().await;
    let kms = pb::Topic { name: DEAD.to_owned(), kms_key_name: "a-key".to_owned(), ..Default::default() };
    let refusal = world.publisher.create_topic(kms).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unimplemented);
    assert!(refusal.message().contains("Topic.kms_key_name"), "{refusal}");

    let (status, answer) = world.rest(Method::GET, &format!("/v1/{TOPIC}:getIamPolicy"), "").await;
    assert_eq!((status, answer["error"]["status"].as_str()), (501, Some("UNIMPLEMENTED")));
    let body = json!({"topic": TOPIC, "cloudStorageConfig": {"bucket": "b"}}).to_string();
    let (status, answer) = world.rest(Method::PUT, &format!("/v1/{SUBSCRIPTION}"), &body).await;
    assert_eq!(status, 501, "{answer}");
    let body = json!({"topic": TOPIC, "colour": "red"}).to_string();
    let (status, answer) = world.rest(Method::PUT, &format!("/v1/{SUBSCRIPTION}"), &body).await;
    assert_eq!(status, 400);
    assert!(answer["error"]["message"].as_str().unwrap().contains("colour"));
}

#[tokio::test]
async fn bad_acks_and_deadlines_are_refused_or_passed_over() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a"]).await;
    let received = world.pull().await;
    let request = |seconds| pb::ModifyAckDeadlineRequest {
        subscription: SUBSCRIPTION.to_owned(),
        ack_ids: vec![received[0].ack_id.clone()],
        ack_deadline_seconds: seconds,
    };
    for seconds in [-1, 601] {
        let refusal = world.subscriber.modify_ack_deadline(request(seconds)).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument);
    }
    let nonsense = pb::AcknowledgeRequest {
        subscription: SUBSCRIPTION.to_owned(),
        ack_ids: vec!["nonsense".to_owned(), String::new()],
    };
    world.subscriber.acknowledge(nonsense).await.unwrap();
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 1);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with(|s| s.body_timeout = Duration::from_millis(50)).await;
    let mut stream = TcpStream::connect(world.broker.as_ref().unwrap().address()).await.unwrap();
    let head =
        "PUT /v1/projects/p/topics/late HTTP/1.1\r\nhost: broker\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    assert!(answer.contains("DEADLINE_EXCEEDED"), "{answer}");
}
