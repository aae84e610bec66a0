//! Pull and streaming pull: leases, order, flow control.

use google_cloud_googleapis::pubsub::v1 as pb;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::harness::{DEAD, SUBSCRIPTION, World, soon, text};

#[tokio::test]
async fn acked_messages_do_not_come_again_and_nacked_ones_do() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a", "b", "c"]).await;
    let received = world.pull().await;
    assert_eq!(received.len(), 3);
    assert!(world.pull().await.is_empty(), "all are leased");

    world.ack(&received[..1]).await;
    world.deadline(&received[1..2], 0).await;

    assert_eq!(world.texts().await, ["b"]);
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 2);
}

#[tokio::test]
async fn a_pull_that_waits_is_answered_by_the_next_publish() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let mut publisher = world.publisher.clone();
    let waiting = world.pull_from(SUBSCRIPTION, false);
    let publish = async {
        let request = pb::PublishRequest {
            topic: crate::harness::TOPIC.to_owned(),
            messages: vec![crate::harness::message("a")],
        };
        publisher.publish(request).await.unwrap();
    };
    let (received, ()) = tokio::join!(waiting, publish);
    assert_eq!(received.iter().map(text).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn after_a_nack_the_message_and_its_successors_come_again_in_order() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.enable_message_ordering = true).await;
    world.say_in_order("k", &["1", "2", "3", "4"]).await;
    let received = world.pull().await;
    assert_eq!(received.iter().map(text).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    world.say_in_order("k", &["5"]).await;
    assert!(world.pull().await.is_empty(), "the key is out");

    world.deadline(&received[1..2], 0).await;
    assert!(world.pull().await.is_empty(), "1 is still out");
    world.ack(&received[..1]).await;

    assert_eq!(world.texts().await, ["2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_pulled_message_says_its_attempt_and_ends_as_a_dead_letter() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    let dead = "projects/p/subscriptions/oms.dead-letters";
    world
        .subscription(|s| {
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await;
    world.subscription(|s| (s.name, s.topic) = (dead.to_owned(), DEAD.to_owned())).await;
    world.say(&["poison"]).await;
    for attempt in 1..=5 {
        if attempt == 3 {
            // Attempts are counted across a crash.
            world.crash().await;
        }
        let received = world.pull().await;
        assert_eq!(received[0].delivery_attempt, attempt);
        world.deadline(&received, 0).await;
    }
    let letters = world.pull_from(dead, false).await;
    let letter = letters[0].message.as_ref().unwrap();
    assert_eq!(letter.data, b"poison");
    assert_eq!(letter.attributes["CloudPubSubDeadLetterSourceSubscription"], "order-events.oms");
    assert_eq!(letter.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"], "p");
    assert_eq!(letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"], "5");
    assert!(letter.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"].ends_with("+00:00"));
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!((figures.dead_lettered, figures.acked), (1, 0));
}

/// A stream as the official Rust client opens it.
async fn stream(
    world: &World,
    messages: i64,
    bytes: i64,
) -> (mpsc::Sender<pb::StreamingPullRequest>, Streaming<pb::StreamingPullResponse>) {
    let (requests, receiver) = mpsc::channel(8);
    let first = pb::StreamingPullRequest {
        subscription: SUBSCRIPTION.to_owned(),
        stream_ack_deadline_seconds: 10,
        max_outstanding_messages: messages,
        max_outstanding_bytes: bytes,
        client_id: "c".to_owned(),
        ..Default::default()
    };
    requests.send(first).await.unwrap();
    let mut subscriber = world.subscriber.clone();
    let stream = soon(subscriber.streaming_pull(ReceiverStream::new(receiver))).await.unwrap().into_inner();
    (requests, stream)
}

async fn next(stream: &mut Streaming<pb::StreamingPullResponse>) -> Vec<pb::ReceivedMessage> {
    soon(stream.message()).await.unwrap().unwrap().received_messages
}

#[tokio::test]
async fn a_stream_gets_no_more_than_its_flow_control_allows_until_it_acks() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let (requests, mut stream) = stream(&world, 2, 0).await;
    world.say(&["a", "b", "c", "d"]).await;
    let mut received = Vec::new();
    while received.len() < 2 {
        received.extend(next(&mut stream).await);
    }
    let figures = world.broker.as_ref().unwrap().stats().subscriptions.remove(0);
    assert_eq!(figures.delivered, 2);

    // One ack on the stream, one nack by a call of its own: room for two, the nacked one among them.
    let ack = pb::StreamingPullRequest { ack_ids: vec![received[0].ack_id.clone()], ..Default::default() };
    requests.send(ack).await.unwrap();
    world.deadline(&received[1..], 0).await;
    let mut again = Vec::new();
    while again.len() < 2 {
        again.extend(next(&mut stream).await.iter().map(text));
    }
    again.sort();
    assert!(again == ["b", "c"] || again == ["c", "d"], "{again:?}");
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 3);
}

#[tokio::test]
async fn a_keep_alive_and_a_receipt_do_no_harm_and_a_nack_on_the_stream_brings_the_message_back() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let (requests, mut stream) = stream(&world, 1000, 100 << 20).await;
    world.say(&["a"]).await;
    let received = next(&mut stream).await;
    requests.send(pb::StreamingPullRequest::default()).await.unwrap();
    world.deadline(&received, 10).await;
    let nack = pb::StreamingPullRequest {
        modify_deadline_ack_ids: vec![received[0].ack_id.clone()],
        modify_deadline_seconds: vec![0],
        ..Default::default()
    };
    requests.send(nack).await.unwrap();
    let again = next(&mut stream).await;
    assert_eq!(text(&again[0]), "a");
    assert_ne!(again[0].ack_id, received[0].ack_id);
}

#[tokio::test]
async fn a_stream_ends_with_its_subscription() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let (_requests, mut stream) = stream(&world, 0, 0).await;
    world
        .subscriber
        .delete_subscription(pb::DeleteSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() })
        .await
        .unwrap();
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), tonic::Code::NotFound);
}
