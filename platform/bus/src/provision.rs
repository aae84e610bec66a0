//! Topics, subscriptions, filters and dead letters, made from the topology table.
//!
//! For the local broker and emulators. In the cloud, infrastructure code makes the same from `schemas/topology.json`.

use std::collections::BTreeMap;

use events::topology::{self, Topic, limits};
use futures::future::BoxFuture;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::address::Address;
use crate::admin::{Admin, Refusal};
use crate::outgoing::BusError;

const SECONDS_PER_DAY: u32 = 86_400;

/// Where a consumer takes events, and who it takes them from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushTo {
    /// The URL its push subscriptions call.
    pub endpoint: String,
    /// The account that the tokens of pushes name.
    pub account: String,
    /// For whom those tokens are meant.
    pub audience: String,
}

impl PushTo {
    /// As Pub/Sub wants it.
    fn config(&self) -> Value {
        let token = json!({ "serviceAccountEmail": self.account, "audience": self.audience });
        json!({ "pushEndpoint": self.endpoint, "oidcToken": token })
    }
}

/// Makes what is missing; what is there stays, except that push subscriptions are pointed to where consumers now are, with the tokens they
/// now want.
///
/// `pushes` maps a consumer to where its push subscriptions lead. A consumer without one gets none. `raw_table`,
/// `project.dataset.table`, is where BigQuery's subscriptions write to; without one there are none.
///
/// # Errors
/// [`BusError`] when `address` is no local broker, cannot be reached, or refuses.
pub fn provision<'a>(
    address: &'a Address,
    pushes: &'a BTreeMap<&'a str, PushTo>,
    raw_table: Option<&'a str>,
) -> BoxFuture<'a, Result<(), BusError>> {
    Box::pin(make(address, pushes, raw_table))
}

async fn make(address: &Address, pushes: &BTreeMap<&str, PushTo>, raw_table: Option<&str>) -> Result<(), BusError> {
    let Some(endpoint) = &address.emulator else {
        return Err(BusError::Refused(
            "topics and subscriptions of the cloud are made by infrastructure code".to_owned(),
        ));
    };
    let mut admin = Admin::connect(endpoint).await?;
    let listeners = topology::consumers().into_iter().chain(raw_table.map(|_| topology::BIGQUERY));
    let dead_letters: Vec<String> = listeners.map(topology::dead_letters).collect();
    for name in Topic::ALL.iter().map(|topic| topic.name()).chain(dead_letters.iter().map(String::as_str)) {
        created(name, admin.call(Method::PUT, &address.topic(name), &json!({})).await?)?;
    }
    for name in dead_letters {
        let path = address.subscription(&name);
        let wanted = |days| pull_subscription(&address.topic(&name), days);
        let made = admin.call(Method::PUT, &path, &wanted(limits::DEAD_LETTER_RETENTION_DAYS)).await?;
        if made.as_ref().is_err_and(is_too_long) {
            // Google's emulator (0.8.20) still has the limit of 7 days; Google's service takes up to 31.
            created(&name, admin.call(Method::PUT, &path, &wanted(limits::RETENTION_DAYS)).await?)?;
        } else {
            created(&name, made)?;
        }
    }
    for row in topology::SUBSCRIPTIONS {
        let Some(push) = pushes.get(row.consumer).map(PushTo::config) else { continue };
        let path = address.subscription(&row.name());
        let made = admin.call(Method::PUT, &path, &push_subscription(address, row, &push)).await?;
        if !created(&row.name(), made)? {
            let moved =
                admin.call(Method::POST, &format!("{path}:modifyPushConfig"), &json!({ "pushConfig": push })).await?;
            moved.map_err(|refusal| refused(&row.name(), &refusal))?;
        }
    }
    for (topic, table) in Topic::ALL.into_iter().filter_map(|topic| Some((topic, raw_table?))) {
        let name = topology::bigquery_subscription(topic);
        let wanted = bigquery_subscription(address, topic, table);
        created(&name, admin.call(Method::PUT, &address.subscription(&name), &wanted).await?)?;
    }
    Ok(())
}

fn is_too_long(refusal: &Refusal) -> bool {
    refusal.reason.contains("message_retention_duration")
}

fn pull_subscription(topic: &str, retention_days: u32) -> Value {
    json!({
        "topic": topic,
        "ackDeadlineSeconds": limits::ACK_DEADLINE_S,
        "messageRetentionDuration": days(retention_days),
    })
}

fn push_subscription(address: &Address, row: &topology::SubscriptionRow, push: &Value) -> Value {
    let mut wanted = subscription(address, row.topic, row.consumer, &row.filter());
    wanted["pushConfig"] = push.clone();
    wanted
}

fn bigquery_subscription(address: &Address, topic: Topic, table: &str) -> Value {
    let mut wanted = subscription(address, topic, topology::BIGQUERY, topology::BIGQUERY_FILTER);
    wanted["bigqueryConfig"] = json!({ "table": table, "writeMetadata": true });
    wanted
}

/// What all subscriptions of a consumer on a topic have in common.
fn subscription(address: &Address, topic: Topic, consumer: &str, filter: &str) -> Value {
    json!({
        "topic": address.topic(topic.name()),
        "filter": filter,
        "deadLetterPolicy": {
            "deadLetterTopic": address.topic(&topology::dead_letters(consumer)),
            "maxDeliveryAttempts": limits::MAX_DELIVERY_ATTEMPTS,
        },
        "retryPolicy": {
            "minimumBackoff": seconds(limits::MIN_BACKOFF_MS),
            "maximumBackoff": seconds(limits::MAX_BACKOFF_MS),
        },
        "ackDeadlineSeconds": limits::ACK_DEADLINE_S,
        "messageRetentionDuration": days(limits::RETENTION_DAYS),
    })
}

fn days(days: u32) -> String {
    format!("{}s", days * SECONDS_PER_DAY)
}

/// A duration as ProtoJSON writes it.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}s", ms / 1_000, ms % 1_000)
}

/// False when it was there already.
fn created(name: &str, made: Result<(), Refusal>) -> Result<bool, BusError> {
    match made {
        Ok(()) => Ok(true),
        Err(refusal) if refusal.status == StatusCode::CONFLICT => Ok(false),
        Err(refusal) => Err(refused(name, &refusal)),
    }
}

fn refused(name: &str, refusal: &Refusal) -> BusError {
    BusError::Refused(format!("{name}: {} {}", refusal.status, refusal.reason))
}
