//! The messages of the hot calls, with what they carry left encoded: on the wire a message in a message is bytes.

use bytes::Bytes;
use google_cloud_googleapis::pubsub::v1 as pb;

use crate::calls::Received;
use crate::error::Refusal;
use crate::message::Fields;

/// `google.pubsub.v1.PublishRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PublishRequest {
    #[prost(string, tag = "1")]
    pub(super) topic: String,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) messages: Vec<Bytes>,
}

impl PublishRequest {
    /// Counts the messages of an encoded request before it is taken apart: two bytes may be a message.
    pub(super) fn check(request: &[u8]) -> Result<(), Refusal> {
        crate::message::check_count(Fields::of(request).map_while(Result::ok).filter(|(field, ..)| *field == 2).count())
    }
}

/// `google.pubsub.v1.ReceivedMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReceivedMessage {
    #[prost(string, tag = "1")]
    pub(super) ack_id: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) message: Bytes,
    #[prost(int32, tag = "3")]
    pub(super) delivery_attempt: i32,
}

/// `google.pubsub.v1.PullResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PullResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) received_messages: Vec<ReceivedMessage>,
}

/// What of `google.pubsub.v1.StreamingPullRequest` the published types do not know yet.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamingPullVersion {
    #[prost(int64, tag = "10")]
    pub(super) protocol_version: i64,
}

/// `google.pubsub.v1.StreamingPullResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StreamingPullResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) received_messages: Vec<ReceivedMessage>,
    #[prost(message, optional, tag = "5")]
    pub(super) acknowledge_confirmation: Option<pb::streaming_pull_response::AcknowledgeConfirmation>,
    #[prost(message, optional, tag = "3")]
    pub(super) modify_ack_deadline_confirmation: Option<pb::streaming_pull_response::ModifyAckDeadlineConfirmation>,
    #[prost(message, optional, tag = "4")]
    pub(super) subscription_properties: Option<pb::streaming_pull_response::SubscriptionProperties>,
}

impl From<Received> for ReceivedMessage {
    fn from(received: Received) -> ReceivedMessage {
        let Received { ack_id, message, delivery_attempt } = received;
        ReceivedMessage { ack_id, message, delivery_attempt }
    }
}
