//! Dead letters and the count of attempts.

use testkit::pubsub::{Code, Draft, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, refused, with_attributes};

claims! { "dead_letters":
    a_message_is_forwarded_after_its_last_attempt_with_where_it_comes_from,
    a_forwarded_message_does_not_come_again,
    attempts_are_counted_from_one,
    without_a_policy_no_attempt_is_shown,
    a_lease_that_ends_counts_as_an_attempt,
    a_pushed_message_is_forwarded_after_its_last_attempt,
    an_ack_in_the_last_attempt_makes_no_dead_letter,
    five_to_a_hundred_attempts_are_taken,
}

const SOURCE: &str = "CloudPubSubDeadLetterSource";

async fn a_message_is_forwarded_after_its_last_attempt_with_where_it_comes_from(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|spec| (spec.dead_letter, spec.ack_deadline_s) = (Some(policy), 600)).await;
    let sent = Draft { ordering_key: "k".to_owned(), ..with_attributes("poison", &[("ce-id", "1")]) };
    world.engine.publish(&topic, vec![sent.clone()]).await.unwrap();
    for _ in 0..5 {
        let received = world.next(&subscription).await;
        world.nack(&subscription, &[received]).await;
    }
    let mut letter = world.next(&letters).await.draft;
    let mut source = |part: &str| letter.attributes.remove(&format!("{SOURCE}{part}")).unwrap_or_default();
    let project = world.project.trim_start_matches("projects/");
    assert_eq!([source("Subscription"), source("SubscriptionProject")], ["oms", project]);
    assert_eq!(source("DeliveryCount"), "5");
    let published = source("TopicPublishTime");
    assert!(published.starts_with("20") && published.contains('T'), "{published}");
    assert_eq!(letter, sent, "the rest is as it was sent");
}

async fn a_forwarded_message_does_not_come_again(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|spec| spec.dead_letter = Some(policy)).await;
    world.say(&topic, &["poison"]).await;
    for _ in 0..5 {
        let received = world.next(&subscription).await;
        world.nack(&subscription, &[received]).await;
    }
    world.next(&letters).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn attempts_are_counted_from_one(world: World) {
    let (policy, _) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|spec| (spec.dead_letter, spec.ack_deadline_s) = (Some(policy), 600)).await;
    world.say(&topic, &["a"]).await;
    for attempt in 1..=4 {
        let received = world.next(&subscription).await;
        assert_eq!(received.attempt, attempt);
        world.nack(&subscription, &[received]).await;
    }
}

async fn without_a_policy_no_attempt_is_shown(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    world.say(&topic, &["a"]).await;
    for _ in 0..2 {
        let received = world.next(&subscription).await;
        assert_eq!(received.attempt, 0);
        world.nack(&subscription, &[received]).await;
    }
}

async fn a_lease_that_ends_counts_as_an_attempt(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|spec| spec.dead_letter = Some(policy)).await;
    world.say(&topic, &["poison"]).await;
    for attempt in 1..=5 {
        let received = world.next(&subscription).await;
        assert_eq!(received.attempt, attempt);
        world.deadline(&subscription, &[received], 1).await;
    }
    assert_eq!(world.next(&letters).await.text(), "poison");
}

async fn a_pushed_message_is_forwarded_after_its_last_attempt(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (endpoint, inbox) = world.endpoint(|_, _| 500).await;
    let (topic, _) = world.pair(|spec| (spec.dead_letter, spec.push_endpoint) = (Some(policy), endpoint)).await;
    world.say(&topic, &["poison"]).await;
    let letter = world.next(&letters).await;
    assert_eq!(letter.draft.attributes[&format!("{SOURCE}DeliveryCount")], "5");
    let attempts: Vec<_> = inbox.arrivals().iter().map(|one| one.body["deliveryAttempt"].as_i64()).collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
}

async fn an_ack_in_the_last_attempt_makes_no_dead_letter(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let dead = policy.topic.clone();
    let (topic, subscription) = world.pair(|spec| spec.dead_letter = Some(policy)).await;
    world.say(&topic, &["late"]).await;
    for attempt in 1..=5 {
        let received = world.next(&subscription).await;
        if attempt == 5 {
            world.ack(&subscription, &[received]).await;
        } else {
            world.nack(&subscription, &[received]).await;
        }
    }
    world.assert_empty(&topic, &subscription).await;
    world.assert_empty(&dead, &letters).await;
}

async fn five_to_a_hundred_attempts_are_taken(world: World) {
    let (policy, _) = world.dead_letters().await;
    let topic = world.topic("orders").await;
    let with = |id: &str, max_attempts| {
        let mut policy = policy.clone();
        policy.max_attempts = max_attempts;
        SubscriptionSpec { dead_letter: Some(policy), ..world.spec(id, &topic) }
    };
    for attempts in [4, 101] {
        let answer = world.engine.create_subscription(&with("bad", attempts)).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{attempts}");
    }
    world.engine.create_subscription(&with("five", 5)).await.unwrap();
    world.engine.create_subscription(&with("hundred", 100)).await.unwrap();
    let none = world.engine.create_subscription(&with("none", 0)).await.unwrap();
    assert_eq!(none.dead_letter.unwrap().max_attempts, 5, "nothing said is five");
}
