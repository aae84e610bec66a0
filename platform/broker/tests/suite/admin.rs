//! Topics and subscriptions, as the official clients ask for them.

use google_cloud_googleapis::pubsub::v1 as pb;
use http::Method;
use serde_json::json;
use tonic::Code;

use crate::harness::{DEAD, SUBSCRIPTION, TOPIC, World};

/// As the official Rust client writes it.
const ALT: &str = "?%24alt=json%3Benum-encoding%3Dint";

#[tokio::test]
async fn the_rest_admin_calls_of_the_official_client_work() {
    let world = World::new().await;
    let (status, topic) = world.rest(Method::PUT, &format!("/v1/{TOPIC}{ALT}"), r#"{"labels":{"a":"b"}}"#).await;
    assert_eq!((status, topic), (200, json!({"name": TOPIC, "labels": {"a": "b"}, "state": 1})));
    let (status, error) = world.rest(Method::PUT, &format!("/v1/{TOPIC}{ALT}"), "{}").await;
    assert_eq!((status, &error["error"]["status"]), (409, &json!("ALREADY_EXISTS")));
    assert_eq!(error["error"]["code"], 409);
    world.rest(Method::PUT, &format!("/v1/{DEAD}{ALT}"), "{}").await;

    let body = json!({
        "topic": TOPIC,
        "pushConfig": {
            "pushEndpoint": "http://127.0.0.1:1/push",
            "oidcToken": {"serviceAccountEmail": "a@b.c", "audience": "oms"},
        },
        "ackDeadlineSeconds": 20,
        "messageRetentionDuration": "86400s",
        "enableMessageOrdering": true,
        "expirationPolicy": {},
        "filter": "attributes:ce-type",
        "deadLetterPolicy": {"deadLetterTopic": DEAD, "maxDeliveryAttempts": 10},
        "retryPolicy": {"minimumBackoff": "1.500s", "maximumBackoff": "60s"},
    });
    let (status, created) = world.rest(Method::PUT, &format!("/v1/{SUBSCRIPTION}{ALT}"), &body.to_string()).await;
    assert_eq!(status, 200, "{created}");
    let mut expected = body.clone();
    expected["name"] = json!(SUBSCRIPTION);
    expected["state"] = json!(1);
    assert_eq!(created, expected);
    assert_eq!(world.rest(Method::GET, &format!("/v1/{SUBSCRIPTION}{ALT}"), "").await, (200, expected.clone()));
    let (_, named) = world.rest(Method::GET, &format!("/v1/{SUBSCRIPTION}"), "").await;
    assert_eq!(named["state"], "ACTIVE");

    let (_, listed) =
        world.rest(Method::GET, &format!("/v1/projects/p/subscriptions{ALT}&pageSize=0&pageToken="), "").await;
    assert_eq!(listed["subscriptions"], json!([expected]));
    let (_, attached) = world.rest(Method::GET, &format!("/v1/{TOPIC}/subscriptions{ALT}"), "").await;
    assert_eq!(attached["subscriptions"], json!([SUBSCRIPTION]));

    let pull = json!({"pushConfig": {}}).to_string();
    let path = format!("/v1/{SUBSCRIPTION}:modifyPushConfig{ALT}");
    assert_eq!(world.rest(Method::POST, &path, &pull).await, (200, json!({})));
    let (_, now) = world.rest(Method::GET, &format!("/v1/{SUBSCRIPTION}{ALT}"), "").await;
    assert_eq!(now["pushConfig"], json!({}));

    assert_eq!(world.rest(Method::DELETE, &format!("/v1/{SUBSCRIPTION}{ALT}"), "").await, (200, json!({})));
    assert_eq!(world.rest(Method::DELETE, &format!("/v1/{TOPIC}{ALT}"), "").await, (200, json!({})));
    let (status, error) = world.rest(Method::GET, &format!("/v1/{TOPIC}{ALT}"), "").await;
    assert_eq!((status, &error["error"]["status"]), (404, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn names_in_snake_case_and_numbers_as_strings_are_read_too() {
    let world = World::new().await;
    world.rest(Method::PUT, &format!("/v1/{TOPIC}"), "").await;
    let body = json!({"topic": TOPIC, "ack_deadline_seconds": "30", "labels": {"snake_case": "kept"}}).to_string();
    let (status, created) = world.rest(Method::PUT, &format!("/v1/{SUBSCRIPTION}"), &body).await;
    assert_eq!(status, 200, "{created}");
    assert_eq!(created["ackDeadlineSeconds"], 30);
    assert_eq!(created["labels"], json!({"snake_case": "kept"}));
    assert_eq!(created["messageRetentionDuration"], "604800s");
}

#[tokio::test]
async fn lists_come_page_by_page_and_know_their_project() {
    let mut world = World::new().await;
    for i in 0..5 {
        world.topic(&format!("projects/p/topics/topic-{i}")).await;
    }
    world.topic("projects/other/topics/topic-9").await;
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListTopicsRequest { project: "projects/p".to_owned(), page_size: 2, page_token };
        let page = world.publisher.list_topics(request).await.unwrap().into_inner();
        assert!(page.topics.len() <= 2);
        names.extend(page.topics.into_iter().map(|t| t.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, (0..5).map(|i| format!("projects/p/topics/topic-{i}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn topics_and_subscriptions_survive_a_crash_and_names_stay_taken() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.ack_deadline_seconds = 42).await;
    world.crash().await;
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    assert_eq!(world.subscriber.get_subscription(request).await.unwrap().into_inner().ack_deadline_seconds, 42);
    let again = pb::Topic { name: TOPIC.to_owned(), ..Default::default() };
    assert_eq!(world.publisher.create_topic(again).await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn the_front_page_health_and_figures_answer() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a"]).await;
    assert_eq!(world.rest(Method::GET, "/", "").await, (200, json!("Ok\n")));
    assert_eq!(world.rest(Method::GET, "/health", "").await.0, 200);
    let (status, stats) = world.rest(Method::GET, "/stats", "").await;
    assert_eq!(status, 200);
    assert_eq!(stats["subscriptions"][0]["name"], SUBSCRIPTION);
    assert_eq!(stats["subscriptions"][0]["backlog"], 1);
    let (status, metrics) = world.rest(Method::GET, "/metrics", "").await;
    assert_eq!(status, 200);
    let line = format!("pubsub_subscription_backlog_messages{{subscription=\"{SUBSCRIPTION}\"}} 1\n");
    assert!(metrics.as_str().unwrap().contains(&line), "{metrics}");
    assert_eq!(world.rest(Method::GET, "/v1/nothing", "").await.0, 404);
}
