//! Updates of subscriptions, field by field.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::mask;
use super::subscription_check::check;
use super::subscriptions::{change, shown};
use crate::core::Core;
use crate::error::Refusal;
use crate::warehouse;

/// Fields that are what they were at creation, or the server's own.
const IMMUTABLE: [&str; 7] =
    ["name", "topic", "filter", "enable_message_ordering", "detached", "state", "topic_message_retention_duration"];
const UNIMPLEMENTED: [&str; 4] =
    ["cloud_storage_config", "message_transforms", "analytics_hub_subscription_info", "tags"];

pub(crate) async fn update_subscription(
    core: &Arc<Core>,
    request: pb::UpdateSubscriptionRequest,
) -> Result<pb::Subscription, Refusal> {
    let wanted = request.subscription.ok_or_else(|| Refusal::invalid("A subscription must be given"))?;
    let paths = mask::paths(request.update_mask)?;
    if let Some(bigquery) =
        wanted.bigquery_config.as_ref().filter(|_| paths.iter().any(|path| path == "bigquery_config"))
    {
        let topic = Arc::clone(&core.subscription(&wanted.name)?.topic);
        warehouse::check_fits(core, &topic, bigquery).await?;
    }
    let name = wanted.name.clone();
    let subscription = change(core, name, move |config| {
        for path in &paths {
            set(config, &wanted, path)?;
        }
        check(config)
    })
    .await?;
    Ok(shown(core, &subscription))
}

fn set(config: &mut pb::Subscription, wanted: &pb::Subscription, path: &str) -> Result<(), Refusal> {
    match path {
        "ack_deadline_seconds" => config.ack_deadline_seconds = wanted.ack_deadline_seconds,
        "retain_acked_messages" => config.retain_acked_messages = wanted.retain_acked_messages,
        "message_retention_duration" => config.message_retention_duration = wanted.message_retention_duration,
        "enable_exactly_once_delivery" => config.enable_exactly_once_delivery = wanted.enable_exactly_once_delivery,
        "labels" => config.labels.clone_from(&wanted.labels),
        "push_config" => config.push_config.clone_from(&wanted.push_config),
        "bigquery_config" => config.bigquery_config.clone_from(&wanted.bigquery_config),
        "expiration_policy" => config.expiration_policy = wanted.expiration_policy,
        "dead_letter_policy" => config.dead_letter_policy.clone_from(&wanted.dead_letter_policy),
        "retry_policy" => config.retry_policy = wanted.retry_policy,
        _ => return set_nested(config, wanted, path),
    }
    Ok(())
}

fn set_nested(config: &mut pb::Subscription, wanted: &pb::Subscription, path: &str) -> Result<(), Refusal> {
    let push = wanted.push_config.clone().unwrap_or_default();
    let letters = wanted.dead_letter_policy.clone().unwrap_or_default();
    let retry = wanted.retry_policy.unwrap_or_default();
    match path {
        "push_config.push_endpoint" => config.push_config.get_or_insert_default().push_endpoint = push.push_endpoint,
        "push_config.attributes" => config.push_config.get_or_insert_default().attributes = push.attributes,
        "push_config.oidc_token" => {
            config.push_config.get_or_insert_default().authentication_method = push.authentication_method;
        }
        "push_config.no_wrapper" | "push_config.pubsub_wrapper" => {
            config.push_config.get_or_insert_default().wrapper = push.wrapper;
        }
        "dead_letter_policy.dead_letter_topic" => {
            config.dead_letter_policy.get_or_insert_default().dead_letter_topic = letters.dead_letter_topic;
        }
        "dead_letter_policy.max_delivery_attempts" => {
            config.dead_letter_policy.get_or_insert_default().max_delivery_attempts = letters.max_delivery_attempts;
        }
        "retry_policy.minimum_backoff" => {
            config.retry_policy.get_or_insert_default().minimum_backoff = retry.minimum_backoff;
        }
        "retry_policy.maximum_backoff" => {
            config.retry_policy.get_or_insert_default().maximum_backoff = retry.maximum_backoff;
        }
        "expiration_policy.ttl" => {
            config.expiration_policy.get_or_insert_default().ttl =
                wanted.expiration_policy.and_then(|policy| policy.ttl);
        }
        _ => return Err(mask::refused("Subscription", path, &IMMUTABLE, &UNIMPLEMENTED)),
    }
    Ok(())
}
