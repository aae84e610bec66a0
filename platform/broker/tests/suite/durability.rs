//! What survives a crash.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use broker::{Broker, BrokerError, Settings};
use google_cloud_googleapis::pubsub::v1 as pb;

use crate::harness::{SUBSCRIPTION, TOPIC, World, message, soon, text};

fn segments(data: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    found.sort();
    found
}

/// Where the last record of a segment ends: from there on the file holds zeros.
fn end(segment: &Path) -> u64 {
    let bytes = fs::read(segment).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

#[tokio::test]
async fn published_messages_and_acks_survive_a_crash() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let ids = world.say(&["a", "b", "c"]).await;
    let received = world.pull().await;
    world.ack(&received[1..2]).await;

    world.crash().await;

    let again = world.pull().await;
    assert_eq!(again.iter().map(text).collect::<Vec<_>>(), ["a", "c"]);
    let kept: Vec<_> = again.iter().map(|r| r.message.as_ref().unwrap().message_id.clone()).collect();
    assert_eq!(kept, [ids[0].clone(), ids[2].clone()]);
    // An ack id of before the crash is still good.
    world.ack(&received[..1]).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["c"]);
    assert!(world.say(&["d"]).await[0] > ids[2], "ids are not given twice");
}

#[tokio::test]
async fn an_ack_that_comes_after_a_crash_counts_before_the_message_is_given_out_again() {
    for ordered in [false, true] {
        let mut world = World::with_topic().await;
        world.subscription(|config| config.enable_message_ordering = ordered).await;
        world.say_in_order("key", &["a", "b", "c"]).await;
        let received = world.pull().await;
        world.crash().await;
        world.ack(&received[..2]).await;
        world.crash().await;
        assert_eq!(world.texts().await, ["c"], "ordered: {ordered}");
    }
}

#[tokio::test]
async fn a_torn_end_is_cut_off_and_the_log_goes_on() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b"]).await;
    let whole = end(&segments(world.data())[0]);
    for torn in [&b"\x20\0\0\0torn"[..], &[7; 100], &[0xff; 40]] {
        world
            .crash_and(|data| {
                let log = OpenOptions::new().write(true).open(&segments(data)[0]).unwrap();
                log.write_all_at(torn, whole).unwrap();
            })
            .await;
        assert_eq!(end(&segments(world.data())[0]), whole);
    }
    world.say(&["c"]).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_message_whose_record_is_torn_is_the_only_one_lost() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b"]).await;
    world
        .crash_and(|data| {
            let segment = segments(data).remove(0);
            let log = OpenOptions::new().write(true).open(&segment).unwrap();
            log.set_len(end(&segment) - 1).unwrap();
        })
        .await;
    assert_eq!(world.texts().await, ["a"]);
}

#[tokio::test]
async fn damage_that_no_crash_can_do_is_named_and_nothing_is_changed() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    for _ in 0..3 {
        world.publish(vec![message(&"x".repeat(50_000))]).await.unwrap();
    }
    let data = world.data().to_owned();
    let segments = segments(&data);
    assert_eq!(segments.len(), 3);
    soon(world.broker.take().unwrap().shutdown()).await;
    let mut bytes = fs::read(&segments[0]).unwrap();
    bytes[1000] ^= 1;
    fs::write(&segments[0], &bytes).unwrap();
    let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), data, ..Settings::default() };
    let Err(error) = Broker::start(settings).await else { panic!("it started") };
    assert!(matches!(&error, BrokerError::Damaged { path, offset: 20 } if *path == segments[0]), "{error}");
    assert_eq!(fs::read(&segments[0]).unwrap(), bytes);
}

#[tokio::test]
async fn segments_go_when_their_messages_are_done() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    for _ in 0..20 {
        world.publish(vec![message(&"x".repeat(30_000))]).await.unwrap();
    }
    assert!(segments(world.data()).len() >= 9);
    let received = world.pull().await;
    let (first, rest) = received.split_first().unwrap();
    world.ack(rest).await;
    // The next publish is behind the deletions in the writer's queue.
    world.say(&["last"]).await;
    assert!(segments(world.data()).len() <= 3, "{:?}", segments(world.data()));
    world.ack(std::slice::from_ref(first)).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["last"]);
    assert_eq!(segments(world.data()).len(), 1);
}

#[tokio::test]
async fn a_deleted_subscription_holds_no_segment_and_a_new_one_of_its_name_starts_empty() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    for _ in 0..6 {
        world.publish(vec![message(&"x".repeat(40_000))]).await.unwrap();
    }
    let delete = pb::DeleteSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    world.subscriber.delete_subscription(delete).await.unwrap();
    world.subscription(|_| {}).await;
    assert!(world.pull().await.is_empty());
    world.crash().await;
    assert!(world.pull().await.is_empty());
    assert_eq!(segments(world.data()).len(), 1);
}

#[tokio::test]
async fn the_backlog_of_a_deleted_topic_survives_and_a_new_topic_of_its_name_is_another() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["old"]).await;
    world.publisher.delete_topic(pb::DeleteTopicRequest { topic: TOPIC.to_owned() }).await.unwrap();
    world.crash().await;
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    let config = world.subscriber.get_subscription(request).await.unwrap().into_inner();
    assert_eq!(config.topic, "_deleted-topic_");
    world.topic(TOPIC).await;
    world.say(&["new"]).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["old"]);
}

/// A topic and a subscription of a broker that may use so many bytes.
async fn on_a_disk_of(bytes: u64) -> World {
    let mut world = World::with(|s| {
        s.segment_bytes = 64 << 10;
        s.disk_bytes = bytes;
    })
    .await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    world
}

#[tokio::test]
async fn a_full_disk_refuses_publishes_and_takes_them_again_once_there_is_room() {
    let mut world = on_a_disk_of(300_000).await;
    let mut stored = 0;
    let refusal = loop {
        match world.publish(vec![message(&"x".repeat(30_000))]).await {
            Ok(_) => stored += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.code(), tonic::Code::Unavailable);
    let received = world.pull().await;
    assert_eq!(received.len(), stored);
    world.ack(&received).await;
    world.say(&["room again"]).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["room again"]);
}

#[tokio::test]
async fn acks_take_their_share_of_the_disk() {
    let mut world = on_a_disk_of(80_000).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        // About 35 bytes each on disk, and an ack of 20 bytes for each.
        world.publish(vec![message("x"); 500]).await.unwrap();
        ids.extend(world.pull().await);
    }
    // One message stays, and with it the segment.
    world.ack(&ids[1..]).await;
    world.crash().await;
    let large = message(&"x".repeat(30_000));
    assert_eq!(world.publish(vec![large]).await.unwrap_err().code(), tonic::Code::Unavailable);
    world.say(&["small"]).await;
}

#[tokio::test]
async fn a_second_broker_on_the_same_directory_is_refused() {
    let world = World::new().await;
    let settings =
        Settings { listen: "127.0.0.1:0".parse().unwrap(), data: world.data().to_owned(), ..Settings::default() };
    assert!(matches!(Broker::start(settings).await, Err(BrokerError::InUse { .. })));
}

#[tokio::test]
async fn an_ack_that_cannot_be_written_is_refused_and_kept_until_it_can() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b"]).await;
    let received = world.pull().await;
    // A directory in the place of the ack file: it cannot be opened for writing.
    let acks = segments(world.data()).pop().unwrap().with_extension("acks");
    fs::create_dir(&acks).unwrap();
    let request = pb::AcknowledgeRequest {
        subscription: SUBSCRIPTION.to_owned(),
        ack_ids: received.iter().map(|r| r.ack_id.clone()).collect(),
    };
    let refusal = world.subscriber.acknowledge(request.clone()).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::Unavailable);
    assert_eq!(world.subscriber.acknowledge(request.clone()).await.unwrap_err().code(), tonic::Code::Unavailable);

    fs::remove_dir(&acks).unwrap();
    world.subscriber.acknowledge(request).await.unwrap();

    world.crash().await;
    assert!(world.pull().await.is_empty());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_refuses_publishes_and_catalogue_changes() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    world.publish(vec![message(&"x".repeat(60_000))]).await.unwrap();
    // Directories in the place of the next segment and of the new catalogue.
    let next = world.data().join("0000000000000002.log");
    let catalogue = world.data().join("catalogue.new");
    fs::create_dir(&next).unwrap();
    fs::create_dir(&catalogue).unwrap();
    let long = message(&"y".repeat(60_000));
    assert_eq!(world.publish(vec![long.clone()]).await.unwrap_err().code(), tonic::Code::Unavailable);
    let other = pb::Topic { name: "projects/p/topics/other".to_owned(), ..Default::default() };
    assert_eq!(world.publisher.create_topic(other.clone()).await.unwrap_err().code(), tonic::Code::Unavailable);
    fs::remove_dir(&next).unwrap();
    fs::remove_dir(&catalogue).unwrap();
    world.publish(vec![long]).await.unwrap();
    world.publisher.create_topic(other).await.unwrap();
    world.crash().await;
    assert_eq!(world.pull().await.len(), 2);
}
