//! Changing a subscription, and detaching it.

use testkit::pubsub::{Backoff, Code};

use crate::run::claims;
use crate::world::{World, refused};

claims! { "update":
    only_the_fields_in_the_mask_change,
    a_field_that_is_not_set_is_cleared,
    an_unknown_field_is_refused,
    an_empty_mask_is_refused,
    what_cannot_change_is_refused,
    a_limit_holds_in_an_update_too,
    what_is_not_there_cannot_be_updated,
    a_changed_ack_deadline_holds_for_the_next_delivery,
    a_dead_letter_policy_can_be_added,
    a_push_endpoint_can_be_set,
    a_detached_subscription_gives_nothing_and_is_listed_no_more,
}

async fn only_the_fields_in_the_mask_change(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    let before = wanted.clone();
    wanted.ack_deadline_s = 77;
    wanted.retention_s = 1_200;
    wanted.labels = [("team".to_owned(), "orders".to_owned())].into();
    wanted.retry = Some(Backoff { min_ms: 1_000, max_ms: 2_000 });
    let answer = world.engine.update_subscription(&wanted, &["ack_deadline_seconds"]).await.unwrap();
    let mut expected = before;
    expected.ack_deadline_s = 77;
    assert_eq!(answer, expected);
    let mask = ["labels", "retry_policy", "message_retention_duration"];
    assert_eq!(world.engine.update_subscription(&wanted, &mask).await.unwrap(), wanted);
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap(), wanted);
}

async fn a_field_that_is_not_set_is_cleared(world: World) {
    let (policy, _) = world.dead_letters().await;
    let retry = Backoff { min_ms: 1_000, max_ms: 2_000 };
    let (_, subscription) = world.pair(|spec| (spec.retry, spec.dead_letter) = (Some(retry), Some(policy))).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    (wanted.retry, wanted.dead_letter) = (None, None);
    let answer = world.engine.update_subscription(&wanted, &["retry_policy", "dead_letter_policy"]).await.unwrap();
    assert_eq!(answer, wanted);
}

async fn an_unknown_field_is_refused(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    wanted.ack_deadline_s = 60;
    for mask in [&["no_such_field"][..], &["ack_deadline_seconds", "colour"]] {
        assert_eq!(refused(world.engine.update_subscription(&wanted, mask).await), Code::InvalidArgument, "{mask:?}");
    }
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap().ack_deadline_s, 10, "nothing changed");
}

async fn an_empty_mask_is_refused(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let wanted = world.engine.get_subscription(&subscription).await.unwrap();
    assert_eq!(refused(world.engine.update_subscription(&wanted, &[]).await), Code::InvalidArgument);
}

async fn what_cannot_change_is_refused(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    wanted.topic = world.topic("other").await;
    wanted.ordered = true;
    for field in ["topic", "name", "enable_message_ordering"] {
        let answer = world.engine.update_subscription(&wanted, &[field]).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{field}");
    }
}

async fn a_limit_holds_in_an_update_too(world: World) {
    let (mut policy, _) = world.dead_letters().await;
    policy.max_attempts = 101;
    let (_, subscription) = world.pair(|_| {}).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    (wanted.ack_deadline_s, wanted.dead_letter) = (601, Some(policy));
    for field in ["ack_deadline_seconds", "dead_letter_policy"] {
        let answer = world.engine.update_subscription(&wanted, &[field]).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{field}");
    }
}

async fn what_is_not_there_cannot_be_updated(world: World) {
    let topic = world.topic("orders").await;
    let mut wanted = world.spec("nowhere", &topic);
    wanted.ack_deadline_s = 20;
    assert_eq!(refused(world.engine.update_subscription(&wanted, &["ack_deadline_seconds"]).await), Code::NotFound);
}

async fn a_changed_ack_deadline_holds_for_the_next_delivery(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    wanted.ack_deadline_s = 10;
    world.engine.update_subscription(&wanted, &["ack_deadline_seconds"]).await.unwrap();
    world.say(&topic, &["a"]).await;
    world.next(&subscription).await;
    assert_eq!(world.next(&subscription).await.text(), "a");
}

async fn a_dead_letter_policy_can_be_added(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|_| {}).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    wanted.dead_letter = Some(policy);
    world.engine.update_subscription(&wanted, &["dead_letter_policy"]).await.unwrap();
    world.say(&topic, &["poison"]).await;
    for attempt in 1..=5 {
        let received = world.next(&subscription).await;
        assert_eq!(received.attempt, attempt);
        world.nack(&subscription, &[received]).await;
    }
    assert_eq!(world.next(&letters).await.text(), "poison");
}

async fn a_push_endpoint_can_be_set(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let mut wanted = world.engine.get_subscription(&subscription).await.unwrap();
    wanted.push_endpoint = endpoint;
    world.engine.update_subscription(&wanted, &["push_config"]).await.unwrap();
    assert_eq!(world.arrival_of(&inbox, "a").await, ["a"]);
}

async fn a_detached_subscription_gives_nothing_and_is_listed_no_more(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    world.engine.detach_subscription(&subscription).await.unwrap();
    assert_eq!(refused(world.engine.pull(&subscription, 1).await), Code::FailedPrecondition);
    assert!(world.engine.get_subscription(&subscription).await.unwrap().detached);
    assert_eq!(world.engine.list_topic_subscriptions(&topic, 0, "").await.unwrap().names, [""; 0]);
}
