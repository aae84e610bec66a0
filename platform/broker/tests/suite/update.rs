//! Updates with masks, detaching, exactly-once delivery, faults on request.

use std::time::Duration;

use google_cloud_googleapis::pubsub::v1 as pb;
use prost_types::FieldMask;
use tonic::Code;

use crate::harness::{DEAD, Endpoint, SUBSCRIPTION, TOPIC, World, soon, text};

impl World {
    async fn update(
        &mut self,
        paths: &[&str],
        change: impl FnOnce(&mut pb::Subscription),
    ) -> Result<pb::Subscription, tonic::Status> {
        let mut subscription = pb::Subscription { name: SUBSCRIPTION.to_owned(), ..Default::default() };
        change(&mut subscription);
        let update_mask = Some(FieldMask { paths: paths.iter().map(|p| (*p).to_owned()).collect() });
        let request = pb::UpdateSubscriptionRequest { subscription: Some(subscription), update_mask };
        self.subscriber.update_subscription(request).await.map(tonic::Response::into_inner)
    }

    async fn detach(&mut self) {
        let request = pb::DetachSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
        self.publisher.detach_subscription(request).await.unwrap();
    }
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_survives_a_crash() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    world.subscription(|s| s.filter = "attributes:a".to_owned()).await;
    let updated = world
        .update(&["ack_deadline_seconds", "dead_letter_policy", "labels", "expiration_policy.ttl"], |s| {
            s.ack_deadline_seconds = 77;
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 9 });
            s.labels = [("team".to_owned(), "oms".to_owned())].into();
            s.expiration_policy =
                Some(pb::ExpirationPolicy { ttl: Some(prost_types::Duration { seconds: 86_400, nanos: 0 }) });
            // Not in the mask.
            s.retain_acked_messages = true;
        })
        .await
        .unwrap();
    world.crash().await;
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    let kept = world.subscriber.get_subscription(request).await.unwrap().into_inner();
    assert_eq!(kept, updated);
    assert_eq!((kept.ack_deadline_seconds, kept.retain_acked_messages), (77, false));
    assert_eq!((kept.filter.as_str(), kept.topic.as_str()), ("attributes:a", TOPIC));
    assert_eq!(kept.dead_letter_policy.unwrap().max_delivery_attempts, 9);
}

#[tokio::test]
async fn a_mask_that_names_what_cannot_change_is_refused_and_changes_nothing() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    for paths in [
        &["filter"][..],
        &["topic"],
        &["enable_message_ordering"],
        &["detached"],
        &["nonsense"],
        &["push_config.nonsense"],
        &["ack_deadline_seconds", "name"],
        &[],
    ] {
        let refused = world.update(paths, |s| s.ack_deadline_seconds = 99).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{paths:?}");
    }
    let refused = world.update(&["cloud_storage_config"], |_| {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    let refused = world.update(&["ack_deadline_seconds"], |s| s.ack_deadline_seconds = 9).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let missing = |s: &mut pb::Subscription| {
        s.dead_letter_policy = Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), ..Default::default() });
    };
    assert_eq!(world.update(&["dead_letter_policy"], missing).await.unwrap_err().code(), Code::NotFound);
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    assert_eq!(world.subscriber.get_subscription(request).await.unwrap().into_inner().ack_deadline_seconds, 10);
}

#[tokio::test]
async fn an_updated_dead_letter_policy_counts_for_messages_that_are_already_there() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    world.subscription(|_| {}).await;
    let letters = "projects/p/subscriptions/letters";
    world.subscription(|s| (s.name, s.topic) = (letters.to_owned(), DEAD.to_owned())).await;
    world.say(&["a"]).await;
    for _ in 0..4 {
        let received = world.pull().await;
        assert_eq!(received[0].delivery_attempt, 0);
        world.deadline(&received, 0).await;
    }
    world
        .update(&["dead_letter_policy.dead_letter_topic", "dead_letter_policy.max_delivery_attempts"], |s| {
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await
        .unwrap();
    let received = world.pull().await;
    assert_eq!(received[0].delivery_attempt, 5);
    world.deadline(&received, 0).await;
    assert_eq!(world.pull_from(letters, false).await.iter().map(text).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_topics_labels_and_retention_are_updated() {
    let mut world = World::with_topic().await;
    let update = |paths: &[&str]| pb::UpdateTopicRequest {
        topic: Some(pb::Topic {
            name: TOPIC.to_owned(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            message_retention_duration: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
            ..Default::default()
        }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|p| (*p).to_owned()).collect() }),
    };
    world.publisher.update_topic(update(&["labels", "message_retention_duration"])).await.unwrap();
    world.crash().await;
    let got = pb::GetTopicRequest { topic: TOPIC.to_owned() };
    let got = world.publisher.get_topic(got).await.unwrap().into_inner();
    assert_eq!((got.labels.len(), got.message_retention_duration.unwrap().seconds), (1, 600));
    for (path, code) in
        [("name", Code::InvalidArgument), ("x", Code::InvalidArgument), ("kms_key_name", Code::Unimplemented)]
    {
        assert_eq!(world.publisher.update_topic(update(&[path])).await.unwrap_err().code(), code, "{path}");
    }
}

#[tokio::test]
async fn an_update_moves_pushes_to_another_endpoint() {
    let mut world = World::with_topic().await;
    let (mut old, mut new) = (Endpoint::new().await, Endpoint::new().await);
    let (from, to) = (old.config(), new.config());
    world.subscription(|s| s.push_config = Some(from)).await;
    world.say(&["a"]).await;
    assert_eq!(old.next_answered(204).await, "a");
    world.update(&["push_config"], |s| s.push_config = Some(to)).await.unwrap();
    world.say(&["b"]).await;
    assert_eq!(new.next_answered(204).await, "b");
    world.update(&["push_config"], |s| s.push_config = None).await.unwrap();
    world.say(&["c"]).await;
    assert_eq!(world.texts().await, ["c"]);
    assert!(old.is_quiet() && new.is_quiet());
}

#[tokio::test]
async fn a_detached_subscription_holds_nothing_and_gets_nothing() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    world.say(&["a"]).await;
    world.detach().await;
    world.say(&["b"]).await;
    world.crash().await;
    let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
    assert!(world.subscriber.get_subscription(request).await.unwrap().into_inner().detached);
    let pull = pb::PullRequest { subscription: SUBSCRIPTION.to_owned(), max_messages: 1, ..Default::default() };
    assert_eq!(world.subscriber.pull(pull).await.unwrap_err().code(), Code::FailedPrecondition);
    let listed = pb::ListTopicSubscriptionsRequest { topic: TOPIC.to_owned(), ..Default::default() };
    assert!(world.publisher.list_topic_subscriptions(listed).await.unwrap().into_inner().subscriptions.is_empty());
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 0);
}

#[tokio::test]
async fn exactly_once_delivery_tells_which_ack_was_in_vain() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.enable_exactly_once_delivery = true).await;
    world.say(&["a", "b"]).await;
    let first = world.pull().await;
    world.deadline(&first[..1], 0).await;
    let second = world.pull().await;
    assert_eq!(second.iter().map(text).collect::<Vec<_>>(), ["a"]);

    let ack_ids = first.iter().map(|r| r.ack_id.clone()).collect();
    let request = pb::AcknowledgeRequest { subscription: SUBSCRIPTION.to_owned(), ack_ids };
    let refused = world.subscriber.acknowledge(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let details = String::from_utf8_lossy(refused.details());
    assert!(details.contains("PERMANENT_FAILURE_INVALID_ACK_ID") && details.contains(&first[0].ack_id));
    assert!(!details.contains(&first[1].ack_id), "b was acked");

    let late = pb::ModifyAckDeadlineRequest {
        subscription: SUBSCRIPTION.to_owned(),
        ack_ids: vec![first[0].ack_id.clone()],
        ack_deadline_seconds: 60,
    };
    assert_eq!(world.subscriber.modify_ack_deadline(late).await.unwrap_err().code(), Code::InvalidArgument);
    world.ack(&second).await;
    assert_eq!(world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await.acked, 2);
}

#[tokio::test]
async fn a_stream_with_exactly_once_delivery_confirms_acks_and_deadlines() {
    let mut world = World::with_topic().await;
    world.subscription(|s| s.enable_exactly_once_delivery = true).await;
    world.say(&["a"]).await;
    let (requests, stream) = tokio::sync::mpsc::channel(8);
    let open = pb::StreamingPullRequest {
        subscription: SUBSCRIPTION.to_owned(),
        stream_ack_deadline_seconds: 10,
        ..Default::default()
    };
    requests.send(open).await.unwrap();
    let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
    let mut answers = soon(world.subscriber.streaming_pull(stream)).await.unwrap().into_inner();
    let first = soon(answers.message()).await.unwrap().unwrap();
    assert!(first.subscription_properties.unwrap().exactly_once_delivery_enabled);
    let ack_id = first.received_messages[0].ack_id.clone();
    let settle = pb::StreamingPullRequest {
        ack_ids: vec![ack_id.clone(), "nonsense".to_owned()],
        modify_deadline_ack_ids: vec![ack_id.clone()],
        modify_deadline_seconds: vec![60],
        ..Default::default()
    };
    requests.send(settle).await.unwrap();
    let confirmed = soon(answers.message()).await.unwrap().unwrap();
    let acks = confirmed.acknowledge_confirmation.unwrap();
    assert_eq!((acks.ack_ids, acks.invalid_ack_ids), (vec![ack_id.clone()], vec!["nonsense".to_owned()]));
    // It was acked first.
    assert_eq!(confirmed.modify_ack_deadline_confirmation.unwrap().invalid_ack_ids, [ack_id]);
}

#[tokio::test]
async fn a_dead_letter_is_gone_from_its_subscription_whatever_faults_are_asked_for() {
    let faults = broker::Faults { duplicate: 1.0, drop_acks: 1.0, ..broker::Faults::default() };
    let mut world = World::with(|s| s.faults = faults).await;
    world.topic(TOPIC).await;
    world.topic(DEAD).await;
    world
        .subscription(|s| {
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await;
    world.say(&["a"]).await;
    for _ in 0..5 {
        let received = world.pull_from(SUBSCRIPTION, false).await;
        world.deadline(&received, 0).await;
    }
    let stats = world.stats_when(SUBSCRIPTION, |s| s.dead_lettered == 1).await;
    assert_eq!((stats.backlog, stats.acked), (0, 0));
}

#[tokio::test]
async fn a_change_goes_to_its_end_though_its_caller_is_gone() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    let config = pb::Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        push_config: Some(endpoint.config()),
        ..Default::default()
    };
    // Given up as soon as the request is on its way, at whatever point it then is.
    for wait_us in [0, 200, 500, 1_000, 2_000] {
        let mut subscriber = world.subscriber.clone();
        let call = subscriber.create_subscription(config.clone());
        let _ = tokio::time::timeout(Duration::from_micros(wait_us), call).await;
    }
    // The last of the attempts is answered, whichever of them it was that made the subscription.
    let answer = world.subscriber.create_subscription(config).await;
    assert!(answer.is_ok() || answer.unwrap_err().code() == Code::AlreadyExists);
    world.say(&["a"]).await;
    assert_eq!(endpoint.next_answered(204).await, "a");
}

#[tokio::test]
async fn faults_on_request_duplicate_forget_and_delay() {
    let mut world = World::with(|s| s.faults = broker::Faults { duplicate: 1.0, ..broker::Faults::default() }).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    world.say(&["a"]).await;
    for _ in 0..3 {
        let received = world.pull().await;
        assert_eq!(received.len(), 1);
        world.ack(&received).await;
    }
    let mut world = World::with(|s| s.faults = broker::Faults { drop_acks: 1.0, ..broker::Faults::default() }).await;
    world.topic(TOPIC).await;
    let mut endpoint = Endpoint::new().await;
    let push = endpoint.config();
    world.subscription(|s| s.push_config = Some(push)).await;
    world.say(&["a"]).await;
    for _ in 0..3 {
        assert_eq!(endpoint.next_answered(204).await, "a");
    }
    let delay = Duration::from_millis(300);
    let mut world = World::with(|s| s.faults = broker::Faults { delay, ..broker::Faults::default() }).await;
    world.topic(TOPIC).await;
    world.subscription(|_| {}).await;
    world.say(&["a"]).await;
    assert!(world.texts().await.is_empty());
    assert_eq!(world.pull_from(SUBSCRIPTION, false).await.len(), 1);
}
