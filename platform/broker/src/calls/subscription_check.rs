//! What a subscription may ask for.

use std::collections::HashMap;

use google_cloud_googleapis::pubsub::v1 as pb;
use prost_types::Duration;

use super::bigquery_check;
use super::push_check::push_config;
use crate::error::Refusal;
use crate::limits::{
    ACK_DEADLINE_DEFAULT_SECONDS, ACK_DEADLINE_SECONDS, DELIVERY_ATTEMPTS, DELIVERY_ATTEMPTS_DEFAULT, LABELS,
    RETENTION_DEFAULT_SECONDS, RETENTION_SECONDS, RETRY_BACKOFF_MS, RETRY_MAX_DEFAULT_MS, RETRY_MIN_DEFAULT_MS,
    TTL_SECONDS,
};
use crate::names;

/// Nanoseconds of a duration that can be written as JSON.
const NANOS: std::ops::RangeInclusive<i32> = 0..=999_999_999;

/// Checks a subscription's configuration and fills in the service's defaults.
///
/// # Errors
/// `INVALID_ARGUMENT` for what the service refuses too, `UNIMPLEMENTED` for what only this broker does not do.
pub(super) fn check(config: &mut pb::Subscription) -> Result<(), Refusal> {
    labels(&config.labels)?;
    refused(config)?;
    if config.ack_deadline_seconds == 0 {
        config.ack_deadline_seconds = ACK_DEADLINE_DEFAULT_SECONDS;
    }
    if !ACK_DEADLINE_SECONDS.contains(&config.ack_deadline_seconds) {
        return Err(Refusal::invalid(format!(
            "Invalid ack deadline given: {} s. It must be between {} and {}",
            config.ack_deadline_seconds,
            ACK_DEADLINE_SECONDS.start(),
            ACK_DEADLINE_SECONDS.end()
        )));
    }
    let default = Duration { seconds: RETENTION_DEFAULT_SECONDS, nanos: 0 };
    retention(config.message_retention_duration.get_or_insert(default))?;
    if let Some(ttl) = config.expiration_policy.as_ref().and_then(|policy| policy.ttl.as_ref())
        && (!TTL_SECONDS.contains(&ttl.seconds) || !NANOS.contains(&ttl.nanos))
    {
        return Err(Refusal::invalid("expiration_policy.ttl must be at least one day and at most ten years"));
    }
    if !config.filter.is_empty() {
        delivery::parse_filter(&config.filter).map_err(|why| Refusal::invalid(format!("Invalid filter: {why}")))?;
    }
    if let Some(policy) = &mut config.dead_letter_policy {
        dead_letter(policy)?;
    }
    if let Some(policy) = &config.retry_policy {
        retry(policy)?;
    }
    push_config(config.push_config.as_ref())?;
    let is_push = config.push_config.as_ref().is_some_and(|push| !push.push_endpoint.is_empty());
    if (is_push || config.bigquery_config.is_some()) && config.enable_exactly_once_delivery {
        return Err(Refusal::invalid("enable_exactly_once_delivery is for pull subscriptions only"));
    }
    bigquery_check::check(config)?;
    config.state = pb::subscription::State::Active.into();
    Ok(())
}

/// Checks how long messages are kept.
pub(super) fn retention(duration: &Duration) -> Result<(), Refusal> {
    if !RETENTION_SECONDS.contains(&duration.seconds) || !NANOS.contains(&duration.nanos) {
        return Err(Refusal::invalid(format!(
            "message_retention_duration must be between {} and {} seconds",
            RETENTION_SECONDS.start(),
            RETENTION_SECONDS.end()
        )));
    }
    Ok(())
}

fn refused(config: &pb::Subscription) -> Result<(), Refusal> {
    let refused = [
        (config.cloud_storage_config.is_some(), "Subscription.cloud_storage_config"),
        (!config.message_transforms.is_empty(), "Subscription.message_transforms"),
    ];
    match refused.iter().find(|(set, _)| *set) {
        Some((_, what)) => Err(Refusal::unimplemented(what)),
        None => Ok(()),
    }
}

fn dead_letter(policy: &mut pb::DeadLetterPolicy) -> Result<(), Refusal> {
    names::check(&policy.dead_letter_topic, "topics")?;
    if policy.max_delivery_attempts == 0 {
        policy.max_delivery_attempts = DELIVERY_ATTEMPTS_DEFAULT.into();
    }
    if !u16::try_from(policy.max_delivery_attempts).is_ok_and(|attempts| DELIVERY_ATTEMPTS.contains(&attempts)) {
        return Err(Refusal::invalid(format!(
            "Invalid max_delivery_attempts given: {}. It must be between {} and {}",
            policy.max_delivery_attempts,
            DELIVERY_ATTEMPTS.start(),
            DELIVERY_ATTEMPTS.end()
        )));
    }
    Ok(())
}

fn retry(policy: &pb::RetryPolicy) -> Result<(), Refusal> {
    let ms = |duration: &Option<Duration>, default: u64| match duration {
        None => Some(default),
        Some(d) if !NANOS.contains(&d.nanos) => None,
        Some(d) => {
            let whole = u64::try_from(d.seconds).ok()?.checked_mul(1000)?;
            whole.checked_add(u64::try_from(d.nanos / 1_000_000).ok()?)
        }
    };
    let min = ms(&policy.minimum_backoff, RETRY_MIN_DEFAULT_MS).filter(|ms| RETRY_BACKOFF_MS.contains(ms));
    let max = ms(&policy.maximum_backoff, RETRY_MAX_DEFAULT_MS).filter(|ms| RETRY_BACKOFF_MS.contains(ms));
    match (min, max) {
        (Some(min), Some(max)) if min <= max => Ok(()),
        _ => Err(Refusal::invalid(
            "retry_policy: minimum_backoff and maximum_backoff must be between 0 and 600 seconds, the first not above \
             the second",
        )),
    }
}

/// Checks the labels of a topic or subscription.
pub(super) fn labels(labels: &HashMap<String, String>) -> Result<(), Refusal> {
    if labels.len() > LABELS || labels.iter().any(|(k, v)| k.is_empty() || k.len() > 63 || v.len() > 63) {
        return Err(Refusal::invalid(format!("at most {LABELS} labels, keys of 1 to 63 and values of up to 63 bytes")));
    }
    Ok(())
}
