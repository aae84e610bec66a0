//! Topics in JSON.

use std::collections::HashMap;

use google_cloud_googleapis::pubsub::v1 as pb;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, ok};
use super::{Call, json as proto};
use crate::calls;
use crate::error::Refusal;

/// Fields of a topic that the API has and this broker does not read.
const REFUSED: [&str; 7] = [
    "messageStoragePolicy",
    "kmsKeyName",
    "schemaSettings",
    "messageRetentionDuration",
    "ingestionDataSourceSettings",
    "messageTransforms",
    "tags",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TopicJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: HashMap<String, String>,
    /// Set by the server; what a client sends is not looked at.
    #[serde(rename = "state")]
    _state: Option<Value>,
    #[serde(rename = "satisfiesPzs")]
    _satisfies_pzs: Option<bool>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub(super) async fn create(call: &Call, name: String) -> Answer {
    let topic: TopicJson = proto::read(&call.body)?;
    proto::refuse_rest("Topic", &topic.rest, &REFUSED)?;
    if !topic.name.is_empty() && topic.name != name {
        return Err(Refusal::invalid("the name in the body is not the name in the path"));
    }
    let config = pb::Topic { name, labels: topic.labels, ..Default::default() };
    Ok(ok(&write(call, &calls::create_topic(&call.core, config).await?)))
}

pub(super) fn get(call: &Call, name: &str) -> Answer {
    Ok(ok(&write(call, &calls::get_topic(&call.core, name)?)))
}

pub(super) fn list(call: &Call, project: String) -> Answer {
    let (page_size, page_token) = call.page()?;
    let listed = calls::list_topics(&call.core, &pb::ListTopicsRequest { project, page_size, page_token })?;
    let topics: Vec<Value> = listed.topics.iter().map(|topic| write(call, topic)).collect();
    Ok(ok(&json!({"topics": topics, "nextPageToken": listed.next_page_token})))
}

pub(super) fn list_subscriptions(call: &Call, topic: String) -> Answer {
    let (page_size, page_token) = call.page()?;
    let request = pb::ListTopicSubscriptionsRequest { topic, page_size, page_token };
    let listed = calls::list_topic_subscriptions(&call.core, &request)?;
    Ok(ok(&json!({"subscriptions": listed.subscriptions, "nextPageToken": listed.next_page_token})))
}

pub(super) async fn delete(call: &Call, name: String) -> Answer {
    calls::delete_topic(&call.core, name).await?;
    Ok(ok(&json!({})))
}

fn write(call: &Call, topic: &pb::Topic) -> Value {
    let state = if call.enums_as_numbers() { json!(topic.state) } else { json!(topic.state().as_str_name()) };
    let mut out = json!({"name": topic.name, "state": state});
    if !topic.labels.is_empty() {
        out["labels"] = json!(topic.labels);
    }
    out
}
