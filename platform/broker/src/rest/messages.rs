//! Messages in JSON: publish, pull, ack.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Answer, ok};
use super::{Call, json as proto};
use crate::calls::{self, Received};
use crate::error::Refusal;
use crate::message::{Draft, MessageView, rfc3339};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishJson<'a> {
    #[serde(borrow, default)]
    messages: Vec<MessageJson<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageJson<'a> {
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
    #[serde(default, alias = "ordering_key")]
    ordering_key: Option<String>,
    /// Given by the server; what a publisher sends is not looked at.
    #[serde(default, rename = "messageId", alias = "message_id")]
    _message_id: Option<String>,
    #[serde(default, rename = "publishTime", alias = "publish_time")]
    _publish_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PullJson {
    #[serde(default)]
    return_immediately: bool,
    #[serde(default, deserialize_with = "proto::int32")]
    max_messages: i32,
    #[serde(rename = "subscription")]
    _subscription: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AckJson {
    #[serde(default)]
    ack_ids: Vec<String>,
    #[serde(default, deserialize_with = "proto::int32")]
    ack_deadline_seconds: i32,
    #[serde(rename = "subscription")]
    _subscription: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedJson {
    ack_id: String,
    message: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_attempt: Option<i32>,
}

pub(super) async fn publish(call: &Call, topic: &str) -> Answer {
    let body: PublishJson = serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
    let messages = body.messages.into_iter().map(encode).collect::<Result<Vec<Bytes>, Refusal>>()?;
    let message_ids = calls::publish(&call.core, topic, messages).await?;
    Ok(ok(&json!({"messageIds": message_ids})))
}

pub(super) async fn pull(call: &Call, subscription: &str) -> Answer {
    let body: PullJson = proto::read(&call.body)?;
    let received = calls::pull(&call.core, subscription, body.max_messages, body.return_immediately).await?;
    if received.is_empty() {
        return Ok(ok(&json!({})));
    }
    let received: Vec<ReceivedJson> = received.into_iter().map(write).collect();
    Ok(ok(&json!({"receivedMessages": received})))
}

pub(super) fn acknowledge(call: &Call, subscription: &str) -> Answer {
    let body: AckJson = proto::read(&call.body)?;
    calls::acknowledge(&call.core, subscription, body.ack_ids)?;
    Ok(ok(&json!({})))
}

pub(super) fn modify_ack_deadline(call: &Call, subscription: &str) -> Answer {
    let body: AckJson = proto::read(&call.body)?;
    calls::modify_ack_deadline(&call.core, subscription, body.ack_ids, body.ack_deadline_seconds)?;
    Ok(ok(&json!({})))
}

fn encode(message: MessageJson) -> Result<Bytes, Refusal> {
    let data = message.data.as_deref().unwrap_or("");
    let draft = Draft {
        data: decode_base64(data).ok_or_else(|| Refusal::invalid("data is not base64"))?,
        attributes: message.attributes.unwrap_or_default(),
        ordering_key: message.ordering_key.unwrap_or_default(),
    };
    Ok(draft.encode())
}

/// Either alphabet, with or without padding, as ProtoJSON allows.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);
    PLAIN.decode(text).or_else(|_| FOR_URLS.decode(text)).ok()
}

fn write(received: Received) -> ReceivedJson {
    let view = MessageView::of_stored(&received.message);
    let mut message = json!({
        "messageId": received.id.to_string(),
        "publishTime": rfc3339(received.publish_ms, "Z"),
    });
    if !view.data.is_empty() {
        message["data"] = json!(base64::engine::general_purpose::STANDARD.encode(view.data));
    }
    if !view.attributes.is_empty() {
        message["attributes"] = json!(view.attributes.into_iter().collect::<BTreeMap<_, _>>());
    }
    if !view.ordering_key.is_empty() {
        message["orderingKey"] = json!(view.ordering_key);
    }
    let delivery_attempt = (received.delivery_attempt > 0).then_some(received.delivery_attempt);
    ReceivedJson { ack_id: received.ack_id, message, delivery_attempt }
}
