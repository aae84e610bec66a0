//! The service's limits: what is just within is taken, what is just beyond is INVALID_ARGUMENT.

use testkit::pubsub::{Code, Draft, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, draft, refused, with_attributes};

claims! { "limits":
    a_publish_has_one_to_a_thousand_messages,
    a_publish_has_at_most_ten_megabytes,
    an_empty_message_is_refused,
    an_attributes_key_has_at_most_256_bytes,
    an_attributes_value_has_at_most_1024_bytes,
    a_message_has_at_most_100_attributes,
    a_key_that_starts_with_goog_is_refused,
    an_ordering_key_has_at_most_1024_bytes,
    the_messages_of_one_request_have_one_ordering_key,
    a_refused_request_publishes_nothing,
    an_ack_deadline_is_ten_seconds_to_ten_minutes,
    messages_are_kept_for_ten_minutes_to_31_days,
}

async fn assert_refused(world: &World, topic: &str, drafts: Vec<Draft>) {
    assert_eq!(refused(world.engine.publish(topic, drafts).await), Code::InvalidArgument);
}

async fn assert_taken(world: &World, topic: &str, drafts: Vec<Draft>) {
    world.engine.publish(topic, drafts).await.unwrap();
}

async fn a_publish_has_one_to_a_thousand_messages(world: World) {
    let topic = world.topic("orders").await;
    assert_refused(&world, &topic, Vec::new()).await;
    assert_refused(&world, &topic, vec![draft("a"); 1_001]).await;
    assert_taken(&world, &topic, vec![draft("a"); 1_000]).await;
}

async fn a_publish_has_at_most_ten_megabytes(world: World) {
    let topic = world.topic("orders").await;
    let of = |bytes: usize| Draft { data: vec![7; bytes].into(), ..Draft::default() };
    assert_refused(&world, &topic, vec![of(10_000_001)]).await;
    assert_refused(&world, &topic, vec![of(5_000_001), of(5_000_001)]).await;
    assert_taken(&world, &topic, vec![of(9_999_000)]).await;
}

async fn an_empty_message_is_refused(world: World) {
    let topic = world.topic("orders").await;
    assert_refused(&world, &topic, vec![Draft::default()]).await;
    assert_refused(&world, &topic, vec![Draft { ordering_key: "k".to_owned(), ..Draft::default() }]).await;
}

async fn an_attributes_key_has_at_most_256_bytes(world: World) {
    let topic = world.topic("orders").await;
    assert_refused(&world, &topic, vec![with_attributes("a", &[(&"k".repeat(257), "v")])]).await;
    assert_refused(&world, &topic, vec![with_attributes("a", &[("", "v")])]).await;
    assert_taken(&world, &topic, vec![with_attributes("a", &[(&"k".repeat(256), "v")])]).await;
}

async fn an_attributes_value_has_at_most_1024_bytes(world: World) {
    let topic = world.topic("orders").await;
    // Bytes, not characters.
    assert_refused(&world, &topic, vec![with_attributes("a", &[("k", &"ä".repeat(513))])]).await;
    assert_refused(&world, &topic, vec![with_attributes("a", &[("k", &"v".repeat(1_025))])]).await;
    assert_taken(&world, &topic, vec![with_attributes("a", &[("k", &"v".repeat(1_024))])]).await;
}

async fn a_message_has_at_most_100_attributes(world: World) {
    let topic = world.topic("orders").await;
    let with = |count: usize| Draft {
        attributes: (0..count).map(|number| (format!("k{number}"), "v".to_owned())).collect(),
        ..draft("a")
    };
    assert_refused(&world, &topic, vec![with(101)]).await;
    assert_taken(&world, &topic, vec![with(100)]).await;
}

async fn a_key_that_starts_with_goog_is_refused(world: World) {
    let topic = world.topic("orders").await;
    assert_refused(&world, &topic, vec![with_attributes("a", &[("googclient", "v")])]).await;
    assert_taken(&world, &topic, vec![with_attributes("a", &[("my-goog", "v")])]).await;
}

async fn an_ordering_key_has_at_most_1024_bytes(world: World) {
    let topic = world.topic("orders").await;
    let with = |bytes: usize| Draft { ordering_key: "k".repeat(bytes), ..draft("a") };
    assert_refused(&world, &topic, vec![with(1_025)]).await;
    assert_taken(&world, &topic, vec![with(1_024)]).await;
}

async fn the_messages_of_one_request_have_one_ordering_key(world: World) {
    let topic = world.topic("orders").await;
    let with = |key: &str| Draft { ordering_key: key.to_owned(), ..draft("a") };
    assert_refused(&world, &topic, vec![with("x"), with("y")]).await;
    assert_refused(&world, &topic, vec![with("x"), with("")]).await;
    assert_taken(&world, &topic, vec![with("x"), with("x")]).await;
}

async fn a_refused_request_publishes_nothing(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    assert_refused(&world, &topic, vec![draft("good"), Draft::default()]).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn an_ack_deadline_is_ten_seconds_to_ten_minutes(world: World) {
    let topic = world.topic("orders").await;
    for seconds in [-1, 9, 601] {
        let spec = SubscriptionSpec { ack_deadline_s: seconds, ..world.spec("bad", &topic) };
        let answer = world.engine.create_subscription(&spec).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{seconds}");
    }
    world.subscription("ten", &topic, |spec| spec.ack_deadline_s = 10).await;
    world.subscription("most", &topic, |spec| spec.ack_deadline_s = 600).await;
}

async fn messages_are_kept_for_ten_minutes_to_31_days(world: World) {
    let topic = world.topic("orders").await;
    for seconds in [599, 31 * 86_400 + 1] {
        let spec = SubscriptionSpec { retention_s: seconds, ..world.spec("bad", &topic) };
        let answer = world.engine.create_subscription(&spec).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{seconds}");
    }
    world.subscription("least", &topic, |spec| spec.retention_s = 600).await;
    world.subscription("most", &topic, |spec| spec.retention_s = 31 * 86_400).await;
}
