//! Seek and snapshots.

use testkit::pubsub::{Code, SeekTo};

use crate::run::claims;
use crate::world::{World, refused, sorted};

claims! { "seek":
    a_seek_to_the_future_clears,
    a_seek_to_the_past_brings_retained_acked_messages_again,
    a_seek_to_a_time_parts_before_from_after,
    without_retention_acked_messages_stay_gone,
    what_is_published_after_a_seek_comes,
    a_seek_works_on_a_push_subscription,
    a_snapshot_keeps_what_was_unacked_and_what_came_after,
    a_snapshot_can_be_sought_by_another_subscription_of_the_topic,
    snapshots_are_named_listed_and_deleted,
    what_is_not_there_cannot_be_sought,
}

const HOUR_MS: u64 = 3_600_000;

async fn a_seek_to_the_future_clears(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    let control = world.subscription("control", &topic, |_| {}).await;
    world.say(&topic, &["a", "b"]).await;
    let held = world.gather(&control, 2).await;
    let leased = world.engine.pull(&subscription, 1).await.unwrap();
    let last_ms = held.iter().map(|one| one.publish_ms).max().unwrap();
    world.engine.seek(&subscription, &SeekTo::Time(last_ms + HOUR_MS)).await.unwrap();
    world.nack(&subscription, &leased).await;
    // When these come again, what was to come here would have come.
    world.deadline(&control, &held, 1).await;
    world.gather(&control, 2).await;
    assert_eq!(sorted(&world.pull(&subscription).await), [""; 0]);
}

async fn a_seek_to_the_past_brings_retained_acked_messages_again(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.retain_acked = true).await;
    world.say(&topic, &["a", "b", "c"]).await;
    let received = world.gather(&subscription, 3).await;
    world.ack(&subscription, &received).await;
    let first_ms = received.iter().map(|one| one.publish_ms).min().unwrap();
    world.engine.seek(&subscription, &SeekTo::Time(first_ms - HOUR_MS)).await.unwrap();
    let again = world.gather(&subscription, 3).await;
    assert_eq!(sorted(&again), ["a", "b", "c"]);
    world.ack(&subscription, &again).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn a_seek_to_a_time_parts_before_from_after(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.retain_acked = true).await;
    world.say(&topic, &["before"]).await;
    world.pass(200).await;
    world.say(&topic, &["after"]).await;
    let received = world.gather(&subscription, 2).await;
    world.ack(&subscription, &received).await;
    let after_ms = received.iter().map(|one| one.publish_ms).max().unwrap();
    world.engine.seek(&subscription, &SeekTo::Time(after_ms - 100)).await.unwrap();
    world.say(&topic, &["marker"]).await;
    assert_eq!(sorted(&world.gather(&subscription, 2).await), ["after", "marker"]);
}

async fn without_retention_acked_messages_stay_gone(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let received = world.next(&subscription).await;
    let publish_ms = received.publish_ms;
    world.ack(&subscription, &[received]).await;
    world.engine.seek(&subscription, &SeekTo::Time(publish_ms - HOUR_MS)).await.unwrap();
    world.assert_empty(&topic, &subscription).await;
}

async fn what_is_published_after_a_seek_comes(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["old"]).await;
    let old = world.next(&subscription).await;
    world.engine.seek(&subscription, &SeekTo::Time(old.publish_ms + 1)).await.unwrap();
    world.nack(&subscription, &[old]).await;
    world.pass(100).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn a_seek_works_on_a_push_subscription(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, subscription) = world.pair(|spec| (spec.retain_acked, spec.push_endpoint) = (true, endpoint)).await;
    world.say(&topic, &["a", "b"]).await;
    world.arrivals(&inbox, 2).await;
    let control = world.subscription("control", &topic, |_| {}).await;
    world.say(&topic, &["c"]).await;
    let control_ms = world.next(&control).await.publish_ms;
    world.arrivals(&inbox, 3).await;
    world.engine.seek(&subscription, &SeekTo::Time(control_ms - HOUR_MS)).await.unwrap();
    world.arrivals(&inbox, 6).await;
    let mut texts = inbox.texts();
    texts.sort();
    assert_eq!(texts, ["a", "a", "b", "b", "c", "c"]);
}

async fn a_snapshot_keeps_what_was_unacked_and_what_came_after(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["acked", "unacked"]).await;
    let received = world.gather(&subscription, 2).await;
    let (acked, unacked): (Vec<_>, Vec<_>) = received.into_iter().partition(|one| one.text() == "acked");
    world.ack(&subscription, &acked).await;
    let snapshot = world.snapshot_name("before-deploy");
    world.engine.create_snapshot(&snapshot, &subscription).await.unwrap();
    world.ack(&subscription, &unacked).await;
    world.say(&topic, &["after"]).await;
    let after = world.next(&subscription).await;
    world.ack(&subscription, &[after]).await;
    world.engine.seek(&subscription, &SeekTo::Snapshot(snapshot)).await.unwrap();
    let again = world.gather(&subscription, 2).await;
    assert_eq!(sorted(&again), ["after", "unacked"]);
    world.ack(&subscription, &again).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn a_snapshot_can_be_sought_by_another_subscription_of_the_topic(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let snapshot = world.snapshot_name("for-others");
    world.engine.create_snapshot(&snapshot, &subscription).await.unwrap();
    let other = world.subscription("other", &topic, |_| {}).await;
    world.engine.seek(&other, &SeekTo::Snapshot(snapshot)).await.unwrap();
    assert_eq!(world.next(&other).await.text(), "a");
}

async fn snapshots_are_named_listed_and_deleted(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let engine = &world.engine;
    let name = world.snapshot_name("before-deploy");
    engine.create_snapshot(&name, &subscription).await.unwrap();
    assert_eq!(refused(engine.create_snapshot(&name, &subscription).await), Code::AlreadyExists);
    assert_eq!(engine.list_snapshots(&world.project, 0, "").await.unwrap().names, std::slice::from_ref(&name));
    engine.delete_snapshot(&name).await.unwrap();
    assert_eq!(refused(engine.delete_snapshot(&name).await), Code::NotFound);
    assert_eq!(engine.list_snapshots(&world.project, 0, "").await.unwrap().names, [""; 0]);
    let nowhere = world.spec("nowhere", "").name;
    assert_eq!(refused(engine.create_snapshot(&name, &nowhere).await), Code::NotFound);
}

async fn what_is_not_there_cannot_be_sought(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let nowhere = world.spec("nowhere", "").name;
    assert_eq!(refused(world.engine.seek(&nowhere, &SeekTo::Time(1_000)).await), Code::NotFound);
    let snapshot = SeekTo::Snapshot(world.snapshot_name("nothing"));
    assert_eq!(refused(world.engine.seek(&subscription, &snapshot).await), Code::NotFound);
}
