//! The suite's plain structures as Pub/Sub's, and back.

use bytes::Bytes;
use google_cloud_googleapis::pubsub::v1 as pb;
use prost_types::{Duration, Timestamp};
use testkit::pubsub::{Backoff, Code, DeadLetterPolicy, Draft, Refusal, SubscriptionSpec};

use crate::engine::Received;

pub(super) fn refusal(status: &tonic::Status) -> Refusal {
    let code = match status.code() {
        tonic::Code::InvalidArgument => Code::InvalidArgument,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::AlreadyExists => Code::AlreadyExists,
        tonic::Code::FailedPrecondition => Code::FailedPrecondition,
        tonic::Code::Unavailable => Code::Unavailable,
        tonic::Code::Unimplemented => Code::Unimplemented,
        other => Code::Other(other as i32),
    };
    Refusal { code, message: status.message().to_owned() }
}

pub(super) fn subscription(spec: &SubscriptionSpec) -> pb::Subscription {
    let push = pb::PushConfig { push_endpoint: spec.push_endpoint.clone(), ..Default::default() };
    pb::Subscription {
        name: spec.name.clone(),
        topic: spec.topic.clone(),
        push_config: (!spec.push_endpoint.is_empty()).then_some(push),
        ack_deadline_seconds: spec.ack_deadline_s,
        enable_message_ordering: spec.ordered,
        filter: spec.filter.clone(),
        retry_policy: spec.retry.map(|retry| pb::RetryPolicy {
            minimum_backoff: Some(duration(retry.min_ms)),
            maximum_backoff: Some(duration(retry.max_ms)),
        }),
        dead_letter_policy: spec.dead_letter.as_ref().map(|policy| pb::DeadLetterPolicy {
            dead_letter_topic: policy.topic.clone(),
            max_delivery_attempts: policy.max_attempts.into(),
        }),
        retain_acked_messages: spec.retain_acked,
        message_retention_duration: (spec.retention_s != 0).then_some(Duration { seconds: spec.retention_s, nanos: 0 }),
        labels: spec.labels.clone().into_iter().collect(),
        ..Default::default()
    }
}

pub(super) fn spec(subscription: pb::Subscription) -> SubscriptionSpec {
    SubscriptionSpec {
        name: subscription.name,
        topic: subscription.topic,
        push_endpoint: subscription.push_config.map(|push| push.push_endpoint).unwrap_or_default(),
        ack_deadline_s: subscription.ack_deadline_seconds,
        ordered: subscription.enable_message_ordering,
        filter: subscription.filter,
        retry: subscription.retry_policy.map(|retry| Backoff {
            min_ms: milliseconds(retry.minimum_backoff),
            max_ms: milliseconds(retry.maximum_backoff),
        }),
        dead_letter: subscription.dead_letter_policy.map(|policy| DeadLetterPolicy {
            topic: policy.dead_letter_topic,
            max_attempts: u16::try_from(policy.max_delivery_attempts).unwrap(),
        }),
        retain_acked: subscription.retain_acked_messages,
        retention_s: subscription.message_retention_duration.map_or(0, |retention| retention.seconds),
        labels: subscription.labels.into_iter().collect(),
        detached: subscription.detached,
    }
}

pub(super) fn message(draft: Draft) -> pb::PubsubMessage {
    pb::PubsubMessage {
        data: draft.data.to_vec(),
        attributes: draft.attributes.into_iter().collect(),
        ordering_key: draft.ordering_key,
        ..Default::default()
    }
}

pub(super) fn received(received: pb::ReceivedMessage) -> Received {
    let message = received.message.unwrap_or_default();
    let time = message.publish_time.unwrap_or_default();
    Received {
        ack_id: received.ack_id,
        id: message.message_id,
        publish_ms: u64::try_from(time.seconds * 1_000 + i64::from(time.nanos / 1_000_000)).unwrap(),
        draft: Draft {
            data: Bytes::from(message.data),
            attributes: message.attributes.into_iter().collect(),
            ordering_key: message.ordering_key,
        },
        attempt: received.delivery_attempt,
    }
}

pub(super) fn timestamp(epoch_ms: u64) -> Timestamp {
    let nanos = i32::try_from(epoch_ms % 1_000).unwrap() * 1_000_000;
    Timestamp { seconds: i64::try_from(epoch_ms / 1_000).unwrap(), nanos }
}

fn duration(ms: u64) -> Duration {
    let Timestamp { seconds, nanos } = timestamp(ms);
    Duration { seconds, nanos }
}

fn milliseconds(duration: Option<Duration>) -> u64 {
    let Duration { seconds, nanos } = duration.unwrap_or_default();
    u64::try_from(seconds * 1_000 + i64::from(nanos / 1_000_000)).unwrap()
}
