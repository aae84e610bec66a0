//! Topics, subscriptions, filters and dead letters, made from the topology table.
//!
//! For the local broker and emulators. In the cloud, infrastructure code makes the same from `schemas/topology.json`.

use std::collections::BTreeMap;

use events::topology::{self, Topic, limits};
use futures::future::BoxFuture;
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::client::{SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{DeadLetterPolicy, PushConfig, RetryPolicy, Subscription};
use google_cloud_wkt::Duration;

use crate::address::{Address, install_tls};
use crate::outgoing::BusError;

const SECONDS_PER_DAY: i64 = 86_400;

/// Makes what is missing; what is there stays, except that push endpoints are pointed to where consumers now are.
///
/// `endpoints` maps a consumer to the URL its push subscriptions call. A consumer without one gets none.
///
/// # Errors
/// [`BusError`] when Pub/Sub cannot be reached or refuses.
pub fn provision<'a>(
    address: &'a Address,
    endpoints: &'a BTreeMap<&'a str, String>,
) -> BoxFuture<'a, Result<(), BusError>> {
    Box::pin(make(address, endpoints))
}

async fn make(address: &Address, endpoints: &BTreeMap<&str, String>) -> Result<(), BusError> {
    install_tls();
    let (topics, subscriptions) = admins(address).await?;
    let dead_letters = topology::consumers().into_iter().map(topology::dead_letters);
    for name in Topic::ALL.into_iter().map(|topic| topic.name().to_owned()).chain(dead_letters) {
        exists_or(topics.create_topic().set_name(address.topic(&name)).send().await)?;
    }
    for consumer in topology::consumers() {
        let name = topology::dead_letters(consumer);
        let wanted = |days| pull_subscription(address, &name, days);
        let long = wanted(limits::DEAD_LETTER_RETENTION_DAYS);
        let made = exists_or(subscriptions.create_subscription().with_request(long).send().await);
        if made.as_ref().is_err_and(is_too_long) {
            // Google's emulator (0.8.20) still has the limit of 7 days; Google's service takes up to 31.
            let short = wanted(limits::RETENTION_DAYS);
            exists_or(subscriptions.create_subscription().with_request(short).send().await)?;
        } else {
            made?;
        }
    }
    for row in topology::SUBSCRIPTIONS {
        let Some(endpoint) = endpoints.get(row.consumer) else { continue };
        let push = PushConfig::new().set_push_endpoint(endpoint);
        let wanted = push_subscription(address, row, push.clone());
        let name = wanted.name.clone();
        if exists_or(subscriptions.create_subscription().with_request(wanted).send().await)? {
            let moved = subscriptions.modify_push_config().set_subscription(name).set_push_config(push).send().await;
            moved.map_err(|error| BusError::Refused(error.to_string()))?;
        }
    }
    Ok(())
}

async fn admins(address: &Address) -> Result<(TopicAdmin, SubscriptionAdmin), BusError> {
    let mut topics = TopicAdmin::builder();
    let mut subscriptions = SubscriptionAdmin::builder();
    if let Some(endpoint) = &address.emulator {
        topics = topics.with_endpoint(endpoint);
        subscriptions = subscriptions.with_endpoint(endpoint);
    }
    if let Some(credentials) = address.credentials() {
        topics = topics.with_credentials(credentials.clone());
        subscriptions = subscriptions.with_credentials(credentials);
    }
    let unavailable = |error: google_cloud_gax::client_builder::Error| BusError::Unavailable(error.to_string());
    Ok((topics.build().await.map_err(unavailable)?, subscriptions.build().await.map_err(unavailable)?))
}

fn is_too_long(error: &BusError) -> bool {
    matches!(error, BusError::Refused(reason) if reason.contains("message_retention_duration"))
}

fn pull_subscription(address: &Address, name: &str, retention_days: u32) -> Subscription {
    Subscription::new()
        .set_name(address.subscription(name))
        .set_topic(address.topic(name))
        .set_ack_deadline_seconds(deadline())
        .set_message_retention_duration(days(retention_days))
}

fn push_subscription(address: &Address, row: &topology::SubscriptionRow, push: PushConfig) -> Subscription {
    let dead_letters = DeadLetterPolicy::new()
        .set_dead_letter_topic(address.topic(&topology::dead_letters(row.consumer)))
        .set_max_delivery_attempts(i32::try_from(limits::MAX_DELIVERY_ATTEMPTS).expect("at most 100"));
    let retry = RetryPolicy::new()
        .set_minimum_backoff(millis(limits::MIN_BACKOFF_MS))
        .set_maximum_backoff(millis(limits::MAX_BACKOFF_MS));
    Subscription::new()
        .set_name(address.subscription(&row.name()))
        .set_topic(address.topic(row.topic.name()))
        .set_push_config(push)
        .set_filter(row.filter())
        .set_dead_letter_policy(dead_letters)
        .set_retry_policy(retry)
        .set_ack_deadline_seconds(deadline())
        .set_message_retention_duration(days(limits::RETENTION_DAYS))
}

fn deadline() -> i32 {
    i32::try_from(limits::ACK_DEADLINE_S).expect("at most 600")
}

fn days(days: u32) -> Duration {
    Duration::clamp(i64::from(days) * SECONDS_PER_DAY, 0)
}

fn millis(ms: u64) -> Duration {
    let nanos = i32::try_from(ms % 1_000 * 1_000_000).expect("below one second");
    Duration::clamp(i64::try_from(ms / 1_000).unwrap_or(i64::MAX), nanos)
}

/// True when it was there already.
fn exists_or<T>(made: Result<T, google_cloud_pubsub::Error>) -> Result<bool, BusError> {
    match made {
        Ok(_) => Ok(false),
        Err(error) => match error.status().map(|status| status.code) {
            Some(Code::AlreadyExists) => Ok(true),
            Some(_) => Err(BusError::Refused(error.to_string())),
            None if error.http_status_code() == Some(409) => Ok(true),
            None => Err(BusError::Unavailable(error.to_string())),
        },
    }
}
