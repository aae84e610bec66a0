//! The filter language.

use testkit::pubsub::{Code, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, refused, sorted, with_attributes};

claims! { "filters":
    has_key,
    equals,
    does_not_equal,
    has_prefix,
    not_and_minus,
    and,
    or,
    parentheses_mix_and_with_or,
    a_key_may_be_quoted,
    a_message_that_does_not_pass_is_not_owed,
    a_pushed_subscription_is_filtered_too,
    a_bad_filter_is_refused_at_creation,
    a_filter_of_256_bytes_is_taken_and_of_257_refused,
    a_filter_cannot_change,
}

/// Which of five messages pass `filter`. Each has the attribute `all`; their texts say what else they have.
async fn assert_passes(world: &World, filter: &str, expected: &[&str]) {
    let (topic, subscription) = world.pair(|spec| filter.clone_into(&mut spec.filter)).await;
    let everything = world.subscription("everything", &topic, |_| {}).await;
    let messages = [
        with_attributes("a=1", &[("all", "x"), ("a", "1")]),
        with_attributes("a=2", &[("all", "x"), ("a", "2")]),
        with_attributes("b=1", &[("all", "x"), ("b", "1")]),
        with_attributes("a=1,b=1", &[("all", "x"), ("a", "1"), ("b", "1")]),
        with_attributes("a=12,odd key=1", &[("all", "x"), ("a", "12"), ("odd key", "1")]),
    ];
    world.engine.publish(&topic, messages.to_vec()).await.unwrap();
    world.gather(&everything, 5).await;
    let mut received = world.gather(&subscription, expected.len()).await;
    // Whatever should not have passed would have come by now.
    received.extend(world.pull(&subscription).await);
    assert_eq!(sorted(&received), expected, "{filter}");
}

async fn has_key(world: World) {
    assert_passes(&world, "attributes:b", &["a=1,b=1", "b=1"]).await;
}

async fn equals(world: World) {
    assert_passes(&world, r#"attributes.a = "1""#, &["a=1", "a=1,b=1"]).await;
}

async fn does_not_equal(world: World) {
    // What passes without the key is not asked: documents disagree.
    assert_passes(&world, r#"attributes:a AND attributes.a != "1""#, &["a=12,odd key=1", "a=2"]).await;
}

async fn has_prefix(world: World) {
    assert_passes(&world, r#"hasPrefix(attributes.a, "1")"#, &["a=1", "a=1,b=1", "a=12,odd key=1"]).await;
}

async fn not_and_minus(world: World) {
    assert_passes(&world, "NOT attributes:b AND -attributes:\"odd key\"", &["a=1", "a=2"]).await;
}

async fn and(world: World) {
    assert_passes(&world, r#"attributes:b AND attributes.a = "1" AND attributes:all"#, &["a=1,b=1"]).await;
}

async fn or(world: World) {
    assert_passes(&world, r#"attributes.a = "2" OR attributes:b"#, &["a=1,b=1", "a=2", "b=1"]).await;
}

async fn parentheses_mix_and_with_or(world: World) {
    let filter = r#"attributes:a AND (attributes:b OR attributes.a = "2") AND NOT (attributes.a = "12")"#;
    assert_passes(&world, filter, &["a=1,b=1", "a=2"]).await;
}

async fn a_key_may_be_quoted(world: World) {
    assert_passes(&world, r#"attributes."odd key" = "1""#, &["a=12,odd key=1"]).await;
}

async fn a_message_that_does_not_pass_is_not_owed(world: World) {
    let (topic, subscription) = world.pair(|spec| "attributes:a".clone_into(&mut spec.filter)).await;
    world.say(&topic, &["no", "neither"]).await;
    world.engine.publish(&topic, vec![with_attributes("yes", &[("a", "")])]).await.unwrap();
    let received = world.gather_until(&subscription, "yes").await;
    assert_eq!(sorted(&received), ["yes"]);
}

async fn a_pushed_subscription_is_filtered_too(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, _) = world.pair(|spec| (spec.filter, spec.push_endpoint) = ("attributes:a".to_owned(), endpoint)).await;
    world.say(&topic, &["no"]).await;
    world.engine.publish(&topic, vec![with_attributes("yes", &[("a", "")])]).await.unwrap();
    assert_eq!(world.arrival_of(&inbox, "yes").await, ["yes"]);
}

async fn a_bad_filter_is_refused_at_creation(world: World) {
    let topic = world.topic("orders").await;
    let bad = [
        "attributes.a =",
        "attributes:",
        "attributes:a AND",
        "attributes:a AND attributes:b OR attributes:c",
        "attributes:a and attributes:b",
        r#"data = "x""#,
        r#"attributes.a = 1"#,
        r#"attributes.a > "1""#,
        r#"hasPrefix(attributes.a)"#,
        "(attributes:a",
    ];
    for filter in bad {
        let spec = SubscriptionSpec { filter: filter.to_owned(), ..world.spec("oms", &topic) };
        assert_eq!(refused(world.engine.create_subscription(&spec).await), Code::InvalidArgument, "{filter}");
    }
}

async fn a_filter_of_256_bytes_is_taken_and_of_257_refused(world: World) {
    let topic = world.topic("orders").await;
    let filter = |bytes: usize| format!("attributes:{}", "a".repeat(bytes - "attributes:".len()));
    let good = SubscriptionSpec { filter: filter(256), ..world.spec("good", &topic) };
    world.engine.create_subscription(&good).await.unwrap();
    let long = SubscriptionSpec { filter: filter(257), ..world.spec("long", &topic) };
    assert_eq!(refused(world.engine.create_subscription(&long).await), Code::InvalidArgument);
}

async fn a_filter_cannot_change(world: World) {
    let (_, subscription) = world.pair(|spec| "attributes:a".clone_into(&mut spec.filter)).await;
    let mut spec = world.engine.get_subscription(&subscription).await.unwrap();
    "attributes:b".clone_into(&mut spec.filter);
    assert_eq!(refused(world.engine.update_subscription(&spec, &["filter"]).await), Code::InvalidArgument);
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap().filter, "attributes:a");
}
