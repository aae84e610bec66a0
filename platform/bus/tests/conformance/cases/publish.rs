//! What is published arrives, as it was sent, wherever it should.

use bytes::Bytes;
use testkit::pubsub::Draft;

use crate::engine::Received;
use crate::run::claims;
use crate::world::{World, draft, sorted, texts, with_attributes};

claims! { "publish":
    ids_are_unique_and_rise,
    a_message_arrives_as_it_was_sent,
    attributes_alone_are_a_message,
    publish_times_do_not_run_backwards,
    every_subscription_gets_each_message,
    only_messages_published_after_its_creation_come,
    a_thousand_messages_of_one_request_all_arrive,
    a_message_of_five_megabytes_arrives,
}

async fn ids_are_unique_and_rise(world: World) {
    let topic = world.topic("orders").await;
    let mut ids = world.say(&topic, &["a", "b"]).await;
    ids.extend(world.engine.publish(&topic, vec![draft("c"), draft("d"), draft("e")]).await.unwrap());
    let numbers: Vec<u64> = ids.iter().map(|id| id.parse().expect("an id is a number")).collect();
    assert_eq!(numbers.len(), 5);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

async fn a_message_arrives_as_it_was_sent(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    let sent = Draft {
        data: Bytes::from((0..=255).collect::<Vec<u8>>()),
        ordering_key: "order-ä".to_owned(),
        ..with_attributes("", &[("ce-id", "1"), ("größe", "5 € \n\"quoted\""), ("empty", "")])
    };
    let ids = world.engine.publish(&topic, vec![sent.clone()]).await.unwrap();
    let received = world.next(&subscription).await;
    assert_eq!((received.draft, vec![received.id]), (sent, ids));
    assert!(received.publish_ms > 1_700_000_000_000, "{}", received.publish_ms);
}

async fn attributes_alone_are_a_message(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    let sent = with_attributes("", &[("only", "this")]);
    world.engine.publish(&topic, vec![sent.clone()]).await.unwrap();
    assert_eq!(world.next(&subscription).await.draft, sent);
}

async fn publish_times_do_not_run_backwards(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a", "b", "c", "d"]).await;
    let mut received = world.gather(&subscription, 4).await;
    received.sort_by_key(Received::text);
    assert!(received.is_sorted_by_key(|one| one.publish_ms), "{received:?}");
}

async fn every_subscription_gets_each_message(world: World) {
    let (topic, first) = world.pair(|_| {}).await;
    let second = world.subscription("crm", &topic, |_| {}).await;
    world.say(&topic, &["a", "b"]).await;
    let received = world.gather(&first, 2).await;
    assert_eq!(sorted(&received), ["a", "b"]);
    world.ack(&first, &received).await;
    assert_eq!(sorted(&world.gather(&second, 2).await), ["a", "b"]);
}

async fn only_messages_published_after_its_creation_come(world: World) {
    let (topic, early) = world.pair(|_| {}).await;
    world.say(&topic, &["before"]).await;
    let late = world.subscription("late", &topic, |_| {}).await;
    world.say(&topic, &["after"]).await;
    assert_eq!(sorted(&world.gather(&early, 2).await), ["after", "before"]);
    assert_eq!(texts(&world.gather(&late, 1).await), ["after"]);
}

async fn a_thousand_messages_of_one_request_all_arrive(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 60).await;
    let sent: Vec<String> = (1_000..2_000).map(|number| number.to_string()).collect();
    let ids = world.engine.publish(&topic, sent.iter().map(|text| draft(text)).collect()).await.unwrap();
    assert_eq!(ids.len(), 1_000);
    let received = world.gather(&subscription, 1_000).await;
    assert_eq!(sorted(&received), sent);
}

async fn a_message_of_five_megabytes_arrives(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 60).await;
    let sent = Draft { data: vec![7; 5_000_000].into(), ..Draft::default() };
    world.engine.publish(&topic, vec![sent.clone()]).await.unwrap();
    assert!(world.next(&subscription).await.draft == sent, "it has changed");
}
