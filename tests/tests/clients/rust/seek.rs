//! Messages that come again, or never.

use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_pubsub::model::Snapshot;
use google_cloud_wkt::{FieldMask, Timestamp};

use super::{Exercise, PROJECT, close, following};

pub(super) async fn to_time(on: &Exercise) {
    let topic = on.topic("seek").await;
    let subscription = on.subscription("seek", &topic, |new| new.set_retain_acked_messages(true)).await;
    on.publish(&topic, &["1"]).await.unwrap();
    let published = first_publish_time(on, &subscription).await;
    on.publish(&topic, &["2", "3"]).await.unwrap();
    assert_eq!(on.receive(&subscription, 2).await, ["2", "3"]);
    let seek = |seconds: i64| {
        let time = Timestamp::clamp(published.seconds() + seconds, published.nanos());
        on.subscriptions.seek().set_subscription(&subscription).set_time(time).send()
    };
    seek(-1).await.unwrap();
    assert_eq!(on.receive(&subscription, 3).await, ["1", "2", "3"]);
    on.publish(&topic, &["4", "5"]).await.unwrap();
    seek(3_600).await.unwrap();
    assert!(on.receive(&subscription, 0).await.is_empty());
}

/// Acks the first message and gives the time that the service knows for it.
async fn first_publish_time(on: &Exercise, subscription: &str) -> Timestamp {
    let mut stream = on.stream(subscription);
    let (message, handler) = following(&mut stream).await;
    handler.ack();
    close(stream).await;
    message.publish_time.expect("a received message has its time")
}

pub(super) async fn to_snapshot(on: &Exercise) {
    let topic = on.topic("snapshot").await;
    let subscription = on.subscription("snapshot", &topic, |new| new).await;
    on.publish(&topic, &["1", "2"]).await.unwrap();
    let name = on.name("snapshots", "snapshot");
    let request = on.subscriptions.create_snapshot().set_name(&name).set_subscription(&subscription);
    assert_eq!(request.send().await.unwrap().topic, topic);
    on.publish(&topic, &["3"]).await.unwrap();
    assert_eq!(on.receive(&subscription, 3).await, ["1", "2", "3"]);
    on.subscriptions.seek().set_subscription(&subscription).set_snapshot(&name).send().await.unwrap();
    assert_eq!(on.receive(&subscription, 3).await, ["1", "2", "3"]);

    assert_eq!(on.subscriptions.get_snapshot().set_snapshot(&name).send().await.unwrap().topic, topic);
    let labelled = Snapshot::new().set_name(&name).set_labels([("keep", "yes")]);
    let mask = FieldMask::default().set_paths(["labels"]);
    let request = on.subscriptions.update_snapshot().set_snapshot(labelled).set_update_mask(mask);
    assert_eq!(request.send().await.unwrap().labels["keep"], "yes");
    let mut found = Vec::new();
    let mut snapshots = on.subscriptions.list_snapshots().set_project(format!("projects/{PROJECT}")).by_item();
    while let Some(snapshot) = snapshots.next().await {
        found.push(snapshot.unwrap().name);
    }
    assert!(found.contains(&name), "{found:?}");
    let of_topic = on.topics.list_topic_snapshots().set_topic(&topic).send().await.unwrap();
    assert_eq!(of_topic.snapshots, [name]);
}
