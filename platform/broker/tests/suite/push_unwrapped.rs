//! Push without the envelope.

use google_cloud_googleapis::pubsub::v1 as pb;
use pb::push_config::{NoWrapper, Wrapper};

use crate::harness::{DEAD, Endpoint, SUBSCRIPTION, World, with_attributes};

fn unwrapped(endpoint: &Endpoint, write_metadata: bool) -> Option<pb::PushConfig> {
    Some(pb::PushConfig { wrapper: Some(Wrapper::NoWrapper(NoWrapper { write_metadata })), ..endpoint.config() })
}

#[tokio::test]
async fn the_body_is_the_data_as_it_is() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = unwrapped(&endpoint, false)).await;
    let data: Vec<u8> = (0..=255).collect();
    let message =
        pb::PubsubMessage { data: data.clone(), ..with_attributes("", &[("ce-id", "1"), ("Content-Type", "a/b")]) };
    world.publish(vec![message]).await.unwrap();

    let push = endpoint.next().await;

    assert_eq!(push.raw, data);
    let mut names: Vec<_> = push.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "host", "user-agent"]);
    push.answer(204);
    world.publish(vec![with_attributes("", &[("only", "attributes")])]).await.unwrap();
    let push = endpoint.next().await;
    assert!(push.raw.is_empty());
    push.answer(204);
    world.stats_when(SUBSCRIPTION, |s| s.acked == 2).await;
    world.crash().await;
    world.publish(vec![with_attributes("again", &[])]).await.unwrap();
    assert_eq!(endpoint.next().await.raw, "again", "and so it is after a restart");
}

#[tokio::test]
async fn with_metadata_an_event_is_a_binary_mode_cloudevent() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    let mut endpoint = Endpoint::new().await;
    world
        .subscription(|s| {
            s.push_config = unwrapped(&endpoint, true);
            s.enable_message_ordering = true;
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await;
    let attributes = [
        ("ce-specversion", "1.0"),
        ("ce-id", "e-1"),
        ("ce-source", "//shop"),
        ("ce-type", "com.onlineboutique.order.confirmed.v1"),
        ("Content-Type", "application/json"),
        ("Content-Length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Authorization", "Bearer stolen"),
        ("bad name", "x"),
        ("bad-value", "x\r\nevil: 1"),
    ];
    let event = pb::PubsubMessage { ordering_key: "o-1".to_owned(), ..with_attributes(r#"{"a":1}"#, &attributes) };
    let ids = world.publish(vec![event]).await.unwrap();

    let push = endpoint.next().await;

    assert_eq!(push.raw, r#"{"a":1}"#);
    let mut headers: Vec<(&str, &str)> = push.headers.iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
    headers.retain(|(name, _)| !matches!(*name, "host" | "x-goog-pubsub-publish-time"));
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("ce-id", "e-1"),
            ("ce-source", "//shop"),
            ("ce-specversion", "1.0"),
            ("ce-type", "com.onlineboutique.order.confirmed.v1"),
            ("content-length", "7"),
            ("content-type", "application/json"),
            ("user-agent", "CloudPubSub-Google"),
            ("x-goog-pubsub-message-id", &ids[0]),
            ("x-goog-pubsub-ordering-key", "o-1"),
            ("x-goog-pubsub-subscription-name", SUBSCRIPTION),
        ]
    );
    let time = push.headers["x-goog-pubsub-publish-time"].to_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'), "{time}");
    push.answer(204);
    world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
}
