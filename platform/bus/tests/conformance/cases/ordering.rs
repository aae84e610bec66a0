//! Ordering keys.

use testkit::pubsub::SubscriptionSpec;

use crate::engine::Received;
use crate::run::claims;
use crate::world::{World, texts};

claims! { "ordering":
    a_key_is_pulled_in_publish_order,
    a_nack_brings_the_message_and_its_successors_again_in_order,
    a_lease_that_ends_brings_the_message_and_its_successors_again_in_order,
    a_key_that_waits_holds_up_no_other,
    a_key_is_pushed_in_publish_order,
    a_failed_push_holds_up_its_key_and_no_other,
    a_dead_letter_lets_its_key_go_on_when_pulled,
    a_dead_letter_lets_its_key_go_on_when_pushed,
    without_ordering_the_key_still_arrives,
}

fn ordered(spec: &mut SubscriptionSpec) {
    spec.ordered = true;
}

/// Acks one after the other until so many have come.
async fn drain(world: &World, subscription: &str, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        let received = world.gather(subscription, 1).await;
        all.extend(texts(&received));
        world.ack(subscription, &received).await;
    }
    all
}

async fn a_key_is_pulled_in_publish_order(world: World) {
    let (topic, subscription) = world.pair(ordered).await;
    let sent: Vec<String> = (10..40).map(|number| number.to_string()).collect();
    world.say_in_order(&topic, "k", &sent.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(drain(&world, &subscription, 30).await, sent);
}

async fn a_nack_brings_the_message_and_its_successors_again_in_order(world: World) {
    let (topic, subscription) = world.pair(|spec| (spec.ordered, spec.ack_deadline_s) = (true, 600)).await;
    world.say_in_order(&topic, "k", &["1", "2", "3"]).await;
    let first = world.gather(&subscription, 1).await;
    assert_eq!(first[0].text(), "1");
    world.nack(&subscription, &first[..1]).await;
    assert_eq!(drain(&world, &subscription, 3).await, ["1", "2", "3"]);
}

async fn a_lease_that_ends_brings_the_message_and_its_successors_again_in_order(world: World) {
    let (topic, subscription) = world.pair(|spec| (spec.ordered, spec.ack_deadline_s) = (true, 600)).await;
    world.say_in_order(&topic, "k", &["1", "2", "3"]).await;
    let first = world.gather(&subscription, 1).await;
    world.deadline(&subscription, &first[..1], 1).await;
    assert_eq!(drain(&world, &subscription, 3).await, ["1", "2", "3"]);
}

async fn a_key_that_waits_holds_up_no_other(world: World) {
    let (topic, subscription) = world.pair(ordered).await;
    world.say_in_order(&topic, "k", &["k1"]).await;
    // Leased, and not acked.
    world.next(&subscription).await;
    world.say_in_order(&topic, "other", &["o1", "o2"]).await;
    world.say(&topic, &["plain"]).await;
    let mut all = drain(&world, &subscription, 3).await;
    all.retain(|text| text != "plain");
    assert_eq!(all, ["o1", "o2"]);
}

async fn a_key_is_pushed_in_publish_order(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, _) = world.pair(|spec| (spec.ordered, spec.push_endpoint) = (true, endpoint)).await;
    let sent: Vec<String> = (10..30).map(|number| number.to_string()).collect();
    world.say_in_order(&topic, "k", &sent.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.arrivals(&inbox, 20).await;
    assert_eq!(inbox.texts(), sent);
}

async fn a_failed_push_holds_up_its_key_and_no_other(world: World) {
    let (endpoint, inbox) = world.endpoint(|text, nth| if text == "x1" && nth < 3 { 500 } else { 204 }).await;
    let (topic, _) = world.pair(|spec| (spec.ordered, spec.push_endpoint) = (true, endpoint)).await;
    world.say_in_order(&topic, "x", &["x1", "x2", "x3"]).await;
    world.say_in_order(&topic, "y", &["y1", "y2"]).await;
    world.arrivals(&inbox, 7).await;
    let of = |key: char| inbox.texts().into_iter().filter(move |text| text.starts_with(key)).collect::<Vec<_>>();
    assert_eq!(of('x'), ["x1", "x1", "x1", "x2", "x3"]);
    assert_eq!(of('y'), ["y1", "y2"]);
}

async fn a_dead_letter_lets_its_key_go_on_when_pulled(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (topic, subscription) = world.pair(|spec| (spec.ordered, spec.dead_letter) = (true, Some(policy))).await;
    world.say_in_order(&topic, "k", &["poison", "good"]).await;
    for _ in 0..5 {
        let received = world.gather(&subscription, 1).await;
        assert_eq!(received[0].text(), "poison");
        world.nack(&subscription, &received[..1]).await;
    }
    let goes_on: Vec<Received> = world.gather_until(&subscription, "good").await;
    assert_eq!(texts(&goes_on), ["good"]);
    let letter = world.next(&letters).await;
    assert_eq!((letter.text().as_str(), letter.draft.ordering_key.as_str()), ("poison", "k"));
}

async fn a_dead_letter_lets_its_key_go_on_when_pushed(world: World) {
    let (policy, letters) = world.dead_letters().await;
    let (endpoint, inbox) = world.endpoint(|text, _| if text == "poison" { 500 } else { 204 }).await;
    let (topic, _) =
        world.pair(|spec| (spec.ordered, spec.dead_letter, spec.push_endpoint) = (true, Some(policy), endpoint)).await;
    world.say_in_order(&topic, "k", &["poison", "good"]).await;
    let all = world.arrival_of(&inbox, "good").await;
    assert_eq!(all, ["poison", "poison", "poison", "poison", "poison", "good"]);
    assert_eq!(world.next(&letters).await.text(), "poison");
}

async fn without_ordering_the_key_still_arrives(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say_in_order(&topic, "k", &["a"]).await;
    assert_eq!(world.next(&subscription).await.draft.ordering_key, "k");
}
