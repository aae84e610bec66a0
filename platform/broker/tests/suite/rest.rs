//! REST beyond the calls of the official client: every route has an answer, and the answers are the API's.

use http::Method;
use serde_json::json;

use crate::harness::{SUBSCRIPTION, TOPIC, World};

#[tokio::test]
async fn a_refusal_says_the_same_over_rest() {
    let world = World::with_topic().await;
    for (method, path, body, name) in [
        (Method::GET, "/v1/projects/p/topics/t-1:getIamPolicy", "", "access control"),
        (Method::POST, "/v1/projects/p/schemas/s-1:setIamPolicy", r#"{"policy":{"etag":"AA=="}}"#, "access control"),
    ] {
        let (status, answer) = world.rest(method, path, body).await;
        assert_eq!((status, answer["error"]["status"].as_str()), (501, Some("UNIMPLEMENTED")), "{path}: {answer}");
        let why = answer["error"]["message"].as_str().unwrap();
        assert!(why.contains(name), "{path}: {why}");
    }
}

#[tokio::test]
async fn defaults_are_left_out_and_errors_have_googles_form() {
    let world = World::with_topic().await;
    assert_eq!(world.rest(Method::GET, "/v1/projects/none/topics", "").await, (200, json!({})));
    let (_, pulled) = {
        world.rest(Method::PUT, &format!("/v1/{SUBSCRIPTION}"), &json!({ "topic": TOPIC }).to_string()).await;
        world.rest(Method::POST, &format!("/v1/{SUBSCRIPTION}:pull"), r#"{"returnImmediately":true}"#).await
    };
    assert_eq!(pulled["error"]["status"], "INVALID_ARGUMENT");
    let (status, answer) = world.rest(Method::GET, &format!("/v1/{TOPIC}?colour=red"), "").await;
    assert_eq!(
        (status, &answer["error"]["code"], &answer["error"]["status"]),
        (400, &json!(400), &json!("INVALID_ARGUMENT"))
    );
    let (status, listed) = world.rest(Method::GET, &format!("/v1/{TOPIC}/subscriptions?page_size=5"), "").await;
    assert_eq!((status, listed), (200, json!({ "subscriptions": [SUBSCRIPTION] })));
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(1_000_000));
    let (_, answer) = world.rest(Method::PUT, &format!("/v1/{TOPIC}"), &long).await;
    assert!(answer.to_string().len() < 4_000, "a refusal does not send back what was sent");
}

#[tokio::test]
async fn a_duration_that_json_cannot_write_is_refused_at_creation() {
    let mut world = World::with_topic().await;
    let mut config = google_cloud_googleapis::pubsub::v1::Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        ..Default::default()
    };
    config.message_retention_duration = Some(prost_types::Duration { seconds: 600, nanos: -1 });
    let refusal = world.subscriber.create_subscription(config).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::InvalidArgument);
}
