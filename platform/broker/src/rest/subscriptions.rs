//! Subscriptions in JSON.

use std::collections::HashMap;

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::push_config::{
    AuthenticationMethod, NoWrapper, OidcToken, PubsubWrapper, Wrapper,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::{Answer, ok};
use super::{Call, json as proto};
use crate::calls;
use crate::error::Refusal;

/// Fields of a subscription that the API has and this broker does not read.
const REFUSED: [&str; 9] = [
    "bigqueryConfig",
    "cloudStorageConfig",
    "bigtableConfig",
    "retainAckedMessages",
    "enableExactlyOnceDelivery",
    "messageTransforms",
    "detached",
    "analyticsHubSubscriptionInfo",
    "tags",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    topic: String,
    push_config: Option<PushConfigJson>,
    #[serde(default, deserialize_with = "proto::int32")]
    ack_deadline_seconds: i32,
    message_retention_duration: Option<String>,
    #[serde(default)]
    labels: HashMap<String, String>,
    #[serde(default)]
    enable_message_ordering: bool,
    expiration_policy: Option<ExpirationPolicyJson>,
    #[serde(default)]
    filter: String,
    dead_letter_policy: Option<DeadLetterPolicyJson>,
    retry_policy: Option<RetryPolicyJson>,
    /// Set by the server; what a client sends is not looked at.
    #[serde(rename = "state")]
    _state: Option<Value>,
    #[serde(rename = "topicMessageRetentionDuration")]
    _topic_message_retention_duration: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushConfigJson {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    push_endpoint: String,
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    attributes: HashMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_token: Option<OidcTokenJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pubsub_wrapper: Option<EmptyJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_wrapper: Option<NoWrapperJson>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct EmptyJson {}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NoWrapperJson {
    #[serde(default)]
    write_metadata: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OidcTokenJson {
    #[serde(default)]
    service_account_email: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    audience: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpirationPolicyJson {
    ttl: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeadLetterPolicyJson {
    #[serde(default)]
    dead_letter_topic: String,
    #[serde(default, deserialize_with = "proto::int32")]
    max_delivery_attempts: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetryPolicyJson {
    minimum_backoff: Option<String>,
    maximum_backoff: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ModifyPushConfigJson {
    #[serde(rename = "subscription")]
    _subscription: Option<String>,
    push_config: Option<PushConfigJson>,
}

pub(super) async fn create(call: &Call, name: String) -> Answer {
    let body: SubscriptionJson = proto::read(&call.body)?;
    proto::refuse_rest("Subscription", &body.rest, &REFUSED)?;
    if !body.name.is_empty() && body.name != name {
        return Err(Refusal::invalid("the name in the body is not the name in the path"));
    }
    let config = body.into_config(name)?;
    Ok(ok(&write(call, calls::create_subscription(&call.core, config).await?)))
}

pub(super) fn get(call: &Call, name: &str) -> Answer {
    Ok(ok(&write(call, calls::get_subscription(&call.core, name)?)))
}

pub(super) fn list(call: &Call, project: String) -> Answer {
    let (page_size, page_token) = call.page()?;
    let request = pb::ListSubscriptionsRequest { project, page_size, page_token };
    let listed = calls::list_subscriptions(&call.core, &request)?;
    let subscriptions: Vec<Value> = listed.subscriptions.into_iter().map(|s| write(call, s)).collect();
    Ok(ok(&json!({"subscriptions": subscriptions, "nextPageToken": listed.next_page_token})))
}

pub(super) async fn delete(call: &Call, name: String) -> Answer {
    calls::delete_subscription(&call.core, name).await?;
    Ok(ok(&json!({})))
}

pub(super) async fn modify_push_config(call: &Call, name: String) -> Answer {
    let body: ModifyPushConfigJson = proto::read(&call.body)?;
    calls::modify_push_config(&call.core, name, body.push_config.map(Into::into)).await?;
    Ok(ok(&json!({})))
}

impl SubscriptionJson {
    fn into_config(self, name: String) -> Result<pb::Subscription, Refusal> {
        let duration = |text: Option<String>| text.map(|text| proto::duration(&text)).transpose();
        let expiration_policy = match self.expiration_policy {
            None => None,
            Some(policy) => Some(pb::ExpirationPolicy { ttl: duration(policy.ttl)? }),
        };
        let retry_policy = match self.retry_policy {
            None => None,
            Some(policy) => Some(pb::RetryPolicy {
                minimum_backoff: duration(policy.minimum_backoff)?,
                maximum_backoff: duration(policy.maximum_backoff)?,
            }),
        };
        Ok(pb::Subscription {
            name,
            topic: self.topic,
            push_config: self.push_config.map(Into::into),
            ack_deadline_seconds: self.ack_deadline_seconds,
            message_retention_duration: duration(self.message_retention_duration)?,
            labels: self.labels,
            enable_message_ordering: self.enable_message_ordering,
            expiration_policy,
            filter: self.filter,
            dead_letter_policy: self.dead_letter_policy.map(|policy| pb::DeadLetterPolicy {
                dead_letter_topic: policy.dead_letter_topic,
                max_delivery_attempts: policy.max_delivery_attempts,
            }),
            retry_policy,
            ..Default::default()
        })
    }
}

impl From<PushConfigJson> for pb::PushConfig {
    fn from(json: PushConfigJson) -> pb::PushConfig {
        let authentication_method = json.oidc_token.map(|token| {
            let OidcTokenJson { service_account_email, audience } = token;
            AuthenticationMethod::OidcToken(OidcToken { service_account_email, audience })
        });
        let wrapper = match (json.no_wrapper, json.pubsub_wrapper) {
            (Some(none), _) => Some(Wrapper::NoWrapper(NoWrapper { write_metadata: none.write_metadata })),
            (None, Some(_)) => Some(Wrapper::PubsubWrapper(PubsubWrapper {})),
            (None, None) => None,
        };
        let PushConfigJson { push_endpoint, attributes, .. } = json;
        pb::PushConfig { push_endpoint, attributes, authentication_method, wrapper }
    }
}

impl From<pb::PushConfig> for PushConfigJson {
    fn from(config: pb::PushConfig) -> PushConfigJson {
        let oidc_token = config.authentication_method.map(|AuthenticationMethod::OidcToken(token)| OidcTokenJson {
            service_account_email: token.service_account_email,
            audience: token.audience,
        });
        let (pubsub_wrapper, no_wrapper) = match config.wrapper {
            Some(Wrapper::PubsubWrapper(_)) => (Some(EmptyJson {}), None),
            Some(Wrapper::NoWrapper(none)) => (None, Some(NoWrapperJson { write_metadata: none.write_metadata })),
            None => (None, None),
        };
        let pb::PushConfig { push_endpoint, attributes, .. } = config;
        PushConfigJson { push_endpoint, attributes, oidc_token, pubsub_wrapper, no_wrapper }
    }
}

fn write(call: &Call, config: pb::Subscription) -> Value {
    let state = if call.enums_as_numbers() { json!(config.state) } else { json!(config.state().as_str_name()) };
    let mut out = json!({
        "name": config.name,
        "topic": config.topic,
        "pushConfig": config.push_config.map(PushConfigJson::from).unwrap_or_default(),
        "ackDeadlineSeconds": config.ack_deadline_seconds,
        "expirationPolicy": {},
        "state": state,
    });
    if let Some(retention) = &config.message_retention_duration {
        out["messageRetentionDuration"] = json!(proto::write_duration(retention));
    }
    if !config.labels.is_empty() {
        out["labels"] = json!(config.labels);
    }
    if config.enable_message_ordering {
        out["enableMessageOrdering"] = json!(true);
    }
    if !config.filter.is_empty() {
        out["filter"] = json!(config.filter);
    }
    if let Some(policy) = &config.dead_letter_policy {
        out["deadLetterPolicy"] = json!({
            "deadLetterTopic": policy.dead_letter_topic,
            "maxDeliveryAttempts": policy.max_delivery_attempts,
        });
    }
    if let Some(policy) = &config.retry_policy {
        let mut backoff = json!({});
        for (name, duration) in
            [("minimumBackoff", &policy.minimum_backoff), ("maximumBackoff", &policy.maximum_backoff)]
        {
            if let Some(duration) = duration {
                backoff[name] = json!(proto::write_duration(duration));
            }
        }
        out["retryPolicy"] = backoff;
    }
    out
}
