//! Seek and snapshots: a subscription goes back and ahead.

use std::time::Duration;

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::seek_request::Target;
use prost_types::Timestamp;
use tonic::Code;

use crate::harness::{Endpoint, SUBSCRIPTION, TOPIC, World, soon};

const SNAPSHOT: &str = "projects/p/snapshots/before";
const WEEK: prost_types::Duration = prost_types::Duration { seconds: 7 * 86_400, nanos: 0 };

impl World {
    async fn seek(&mut self, target: Target) -> Result<(), tonic::Status> {
        let request = pb::SeekRequest { subscription: SUBSCRIPTION.to_owned(), target: Some(target) };
        soon(self.subscriber.seek(request)).await.map(|_| ())
    }

    async fn snapshot(&mut self) -> pb::Snapshot {
        let request = pb::CreateSnapshotRequest {
            name: SNAPSHOT.to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            ..Default::default()
        };
        self.subscriber.create_snapshot(request).await.unwrap().into_inner()
    }

    /// Publishes texts at different times, and gives the time of each.
    async fn say_apart(&mut self, texts: &[&str]) -> Vec<Timestamp> {
        let watcher = "projects/p/subscriptions/watcher";
        let config = pb::Subscription { name: watcher.to_owned(), topic: TOPIC.to_owned(), ..Default::default() };
        self.subscriber.create_subscription(config).await.unwrap();
        for text in texts {
            self.say(&[text]).await;
            // The log tells times apart by the millisecond.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let received = self.pull_from(watcher, true).await;
        let request = pb::DeleteSubscriptionRequest { subscription: watcher.to_owned() };
        self.subscriber.delete_subscription(request).await.unwrap();
        received.into_iter().map(|r| r.message.unwrap().publish_time.unwrap()).collect()
    }

    async fn ack_all(&mut self) -> Vec<String> {
        let received = self.pull().await;
        self.ack(&received).await;
        received.iter().map(crate::harness::text).collect()
    }
}

#[tokio::test]
async fn a_seek_to_the_past_brings_back_what_was_acked_if_it_is_retained() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.retain_acked_messages = true).await;
    let times = world.say_apart(&["a", "b", "c"]).await;
    assert_eq!(world.ack_all().await, ["a", "b", "c"]);

    world.seek(Target::Time(times[1])).await.unwrap();

    assert_eq!(world.ack_all().await, ["b", "c"]);
    world.seek(Target::Time(times[0])).await.unwrap();
    world.crash().await;
    assert_eq!(world.texts().await, ["a", "b", "c"], "a seek that was answered survives a crash");
}

#[tokio::test]
async fn a_seek_to_the_past_without_retention_brings_nothing_back() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let times = world.say_apart(&["a", "b", "c"]).await;
    let received = world.pull().await;
    world.ack(&received[1..]).await;
    world.seek(Target::Time(times[0])).await.unwrap();
    assert_eq!(world.texts().await, ["a"], "only what was unacked");
    world.seek(Target::Time(times[1])).await.unwrap();
    assert!(world.texts().await.is_empty(), "a is before the time");
    world.crash().await;
    assert!(world.texts().await.is_empty());
}

#[tokio::test]
async fn a_seek_to_now_purges_and_one_to_the_future_keeps_purging() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.retain_acked_messages = true).await;
    let times = world.say_apart(&["a", "b"]).await;
    let held = world.pull().await;
    world.seek(Target::Time(Timestamp { seconds: times[1].seconds + 3_600, nanos: 0 })).await.unwrap();
    world.say(&["c"]).await;
    assert!(world.texts().await.is_empty());
    // The lease of before the seek means nothing any more.
    world.deadline(&held[..1], 0).await;
    assert!(world.texts().await.is_empty());
    world.crash().await;
    world.say(&["d"]).await;
    assert!(world.texts().await.is_empty(), "the future is remembered");
    world.seek(Target::Time(times[1])).await.unwrap();
    assert_eq!(world.texts().await, ["b", "c", "d"]);
}

#[tokio::test]
async fn what_a_seek_to_the_future_dropped_stays_dropped() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let times = world.say_apart(&["a"]).await;
    world.seek(Target::Time(Timestamp { seconds: times[0].seconds + 3_600, nanos: 0 })).await.unwrap();
    world.say(&["b"]).await;
    world.seek(Target::Time(times[0])).await.unwrap();
    world.say(&["c"]).await;
    world.crash().await;
    assert_eq!(world.texts().await, ["c"]);
}

#[tokio::test]
async fn attempts_begin_anew_with_a_seek_and_stay_so() {
    let mut world = World::with_topic().await;
    world.topic(crate::harness::DEAD).await;
    world
        .subscription(|s| {
            s.dead_letter_policy = Some(pb::DeadLetterPolicy {
                dead_letter_topic: crate::harness::DEAD.to_owned(),
                max_delivery_attempts: 5,
            });
        })
        .await;
    let times = world.say_apart(&["a"]).await;
    for _ in 0..4 {
        let received = world.pull().await;
        world.deadline(&received, 0).await;
    }
    world.seek(Target::Time(times[0])).await.unwrap();
    world.crash().await;
    assert_eq!(world.pull().await[0].delivery_attempt, 1);
}

#[tokio::test]
async fn a_topics_retention_lets_a_new_subscription_reach_back() {
    let mut world = World::new().await;
    let topic = pb::Topic {
        name: TOPIC.to_owned(),
        message_retention_duration: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        ..Default::default()
    };
    world.publisher.create_topic(topic).await.unwrap();
    let times = world.say_apart(&["a", "b", "c"]).await;
    world.subscription(|s| s.filter = "NOT attributes:skip".to_owned()).await;
    assert!(world.texts().await.is_empty());
    world.publish(vec![crate::harness::with_attributes("x", &[("skip", "")])]).await.unwrap();
    world.crash().await;
    world.seek(Target::Time(times[1])).await.unwrap();
    assert_eq!(world.ack_all().await, ["b", "c"]);
    world.crash().await;
    assert!(world.texts().await.is_empty());
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    let shown = world.subscriber.get_subscription(request).await.unwrap().into_inner();
    assert_eq!(shown.topic_message_retention_duration.unwrap().seconds, 600);
}

#[tokio::test]
async fn a_snapshot_brings_back_what_was_unacked_and_what_came_after() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b", "c"]).await;
    let received = world.pull().await;
    world.ack(&received[..1]).await;
    let snapshot = world.snapshot().await;
    assert_eq!(snapshot.topic, TOPIC);
    world.say(&["d"]).await;
    world.ack(&received[1..]).await;
    world.ack_all().await;

    world.crash().await;
    world.seek(Target::Snapshot(SNAPSHOT.to_owned())).await.unwrap();

    assert_eq!(world.ack_all().await, ["b", "c", "d"]);
    world.crash().await;
    assert!(world.texts().await.is_empty(), "acks after a seek count");
    world.seek(Target::Snapshot(SNAPSHOT.to_owned())).await.unwrap();
    assert_eq!(world.texts().await, ["b", "c", "d"]);
}

#[tokio::test]
async fn a_snapshot_can_be_sought_by_another_subscription_of_its_topic_only() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b", "c"]).await;
    let received = world.pull().await;
    world.ack(&received[1..2]).await;
    world.snapshot().await;
    let younger = "projects/p/subscriptions/younger";
    world.subscription(|s| younger.clone_into(&mut s.name)).await;
    let to = |subscription: &str| pb::SeekRequest {
        subscription: subscription.to_owned(),
        target: Some(Target::Snapshot(SNAPSHOT.to_owned())),
    };
    world.subscriber.seek(to(younger)).await.unwrap();
    world.crash().await;
    let texts: Vec<String> = world.pull_from(younger, true).await.iter().map(crate::harness::text).collect();
    assert_eq!(texts, ["a", "c"]);

    let (stranger, elsewhere) = ("projects/p/topics/elsewhere", "projects/p/subscriptions/stranger");
    world.topic(stranger).await;
    world.subscription(|s| (s.name, s.topic) = (elsewhere.to_owned(), stranger.to_owned())).await;
    assert_eq!(world.subscriber.seek(to(elsewhere)).await.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn what_a_snapshot_or_a_retention_holds_keeps_its_segment_and_nothing_else_does() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    let large = "x".repeat(40_000);
    world.say(&[&large]).await;
    world.snapshot().await;
    world.ack_all().await;
    for _ in 0..4 {
        world.say(&[&large]).await;
        world.ack_all().await;
    }
    assert_eq!(world.segments(), 5, "all of them are behind the snapshot");
    world.subscriber.delete_snapshot(pb::DeleteSnapshotRequest { snapshot: SNAPSHOT.to_owned() }).await.unwrap();
    soon(async {
        while world.segments() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_retained_outlives_a_restart() {
    let mut world = World::with(|s| s.segment_bytes = 64 << 10).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.retain_acked_messages = true).await;
    for _ in 0..5 {
        world.say(&[&"x".repeat(40_000)]).await;
        world.ack_all().await;
    }
    world.crash().await;
    // A change of the catalogue comes behind whatever the writer does first.
    world.topic("projects/p/topics/another").await;
    assert_eq!(world.segments(), 5);
    world.seek(Target::Time(Timestamp { seconds: 1, nanos: 0 })).await.unwrap();
    assert_eq!(world.texts().await.len(), 5);
}

#[tokio::test]
async fn snapshots_are_listed_updated_and_deleted() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let made = world.snapshot().await;
    let again = pb::CreateSnapshotRequest {
        name: SNAPSHOT.to_owned(),
        subscription: SUBSCRIPTION.to_owned(),
        ..Default::default()
    };
    assert_eq!(world.subscriber.create_snapshot(again).await.unwrap_err().code(), Code::AlreadyExists);
    let update = pb::UpdateSnapshotRequest {
        snapshot: Some(pb::Snapshot { labels: [("a".to_owned(), "b".to_owned())].into(), ..made.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["labels".to_owned()] }),
    };
    world.subscriber.update_snapshot(update).await.unwrap();
    world.crash().await;
    let got = pb::GetSnapshotRequest { snapshot: SNAPSHOT.to_owned() };
    let got = world.subscriber.get_snapshot(got).await.unwrap().into_inner();
    assert_eq!((got.labels.len(), got.expire_time), (1, made.expire_time));
    let listed = pb::ListSnapshotsRequest { project: "projects/p".to_owned(), ..Default::default() };
    assert_eq!(world.subscriber.list_snapshots(listed).await.unwrap().into_inner().snapshots, [got]);
    let of_topic = pb::ListTopicSnapshotsRequest { topic: TOPIC.to_owned(), ..Default::default() };
    assert_eq!(world.publisher.list_topic_snapshots(of_topic).await.unwrap().into_inner().snapshots, [SNAPSHOT]);
    let delete = pb::DeleteSnapshotRequest { snapshot: SNAPSHOT.to_owned() };
    world.subscriber.delete_snapshot(delete.clone()).await.unwrap();
    assert_eq!(world.subscriber.delete_snapshot(delete).await.unwrap_err().code(), Code::NotFound);
    let gone = world.seek(Target::Snapshot(SNAPSHOT.to_owned())).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn a_push_subscription_that_seeks_back_pushes_again_in_order() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    let push = endpoint.config();
    world
        .subscription(|s| {
            s.push_config = Some(push);
            s.retain_acked_messages = true;
            s.message_retention_duration = Some(WEEK);
            s.enable_message_ordering = true;
        })
        .await;
    world.say_in_order("k", &["1", "2"]).await;
    assert_eq!(endpoint.next_answered(204).await, "1");
    // The second is in flight when the subscription seeks; its answer belongs to a lease of before.
    let in_flight = endpoint.next().await;
    world.seek(Target::Time(Timestamp { seconds: 1, nanos: 0 })).await.unwrap();
    in_flight.answer(204);
    assert_eq!(endpoint.next_answered(204).await, "1");
    assert_eq!(endpoint.next_answered(204).await, "2");
    world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
}
