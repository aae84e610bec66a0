//! Subscriptions: create, get, list, delete, detach, and where they push to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::push_check::push_config;
use super::subscription_check::check;
use crate::core::{Core, in_project};
use crate::error::Refusal;
use crate::log::SavedSubscription;
use crate::names;
use crate::subscription::Subscription;
use crate::sync::{read, write};
use crate::warehouse;

pub(crate) async fn create_subscription(
    core: &Arc<Core>,
    mut config: pb::Subscription,
) -> Result<pb::Subscription, Refusal> {
    names::check(&config.name, "subscriptions")?;
    names::check(&config.topic, "topics")?;
    if config.detached {
        return Err(Refusal::invalid("A subscription cannot be created detached"));
    }
    check(&mut config)?;
    if let Some(bigquery) = &config.bigquery_config {
        warehouse::check_fits(core, &*core.topic(&config.topic)?, bigquery).await?;
    }
    let subscription = core
        .change(move |core, log| {
            if core.subscription(&config.name).is_ok() {
                return Err(Refusal::already_exists("Subscription", &config.name));
            }
            let topic = core.topic(&config.topic)?;
            dead_letter_topic(core, &config)?;
            let number = core.last_number.load(Ordering::Acquire) + 1;
            let mut catalogue = core.catalogue();
            catalogue.last_number = number;
            let saved =
                SavedSubscription { number, topic: topic.number, from_id: log.next_id(), config, skip_until_ms: 0 };
            catalogue.subscriptions.push(saved.clone());
            core.save(&catalogue)?;
            core.last_number.store(number, Ordering::Release);
            let subscription = Arc::new(Subscription::new(saved, Arc::clone(&topic), &core.ground()));
            write(&core.subscriptions).insert(subscription.name.clone(), Arc::clone(&subscription));
            topic.attach(Arc::clone(&subscription));
            Ok(subscription)
        })
        .await?;
    core.refresh_pusher(&subscription).await;
    Ok(shown(core, &subscription))
}

pub(crate) fn get_subscription(core: &Core, name: &str) -> Result<pb::Subscription, Refusal> {
    names::check(name, "subscriptions")?;
    Ok(shown(core, &*core.subscription(name)?))
}

pub(crate) fn list_subscriptions(
    core: &Core,
    request: &pb::ListSubscriptionsRequest,
) -> Result<pb::ListSubscriptionsResponse, Refusal> {
    let project = names::project(&request.project)?;
    let all: Vec<Arc<Subscription>> =
        read(&core.subscriptions).values().filter(|s| in_project(&s.name, project)).cloned().collect();
    let (subscriptions, next_page_token) = page(all, |s| &s.name, request.page_size, &request.page_token)?;
    let subscriptions = subscriptions.iter().map(|s| shown(core, s)).collect();
    Ok(pb::ListSubscriptionsResponse { subscriptions, next_page_token })
}

/// Deletes a subscription with its backlog.
pub(crate) async fn delete_subscription(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    names::check(&name, "subscriptions")?;
    let subscription = core
        .change(move |core, _| {
            let subscription = core.subscription(&name)?;
            let mut catalogue = core.catalogue();
            catalogue.subscriptions.retain(|s| s.number != subscription.number);
            core.save(&catalogue)?;
            write(&core.subscriptions).remove(&name);
            subscription.topic.detach(subscription.number);
            subscription.delete();
            Ok(subscription)
        })
        .await?;
    core.refresh_pusher(&subscription).await;
    Ok(())
}

/// Turns a push subscription into a pull subscription and back, or pushes elsewhere.
pub(crate) async fn modify_push_config(
    core: &Arc<Core>,
    name: String,
    push: Option<pb::PushConfig>,
) -> Result<(), Refusal> {
    push_config(push.as_ref())?;
    core.subscription(&name)?.check_has_subscribers()?;
    change(core, name, move |config| {
        config.push_config = push;
        check(config)
    })
    .await?;
    Ok(())
}

/// Cuts a subscription off from its topic. What it holds is dropped.
pub(crate) async fn detach_subscription(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    let subscription = change(core, name, |config| {
        config.detached = true;
        Ok(())
    })
    .await?;
    subscription.topic.detach(subscription.number);
    subscription.clear();
    Ok(())
}

/// Changes a subscription's configuration, on disk first.
pub(super) async fn change(
    core: &Arc<Core>,
    name: String,
    edit: impl FnOnce(&mut pb::Subscription) -> Result<(), Refusal> + Send + 'static,
) -> Result<Arc<Subscription>, Refusal> {
    names::check(&name, "subscriptions")?;
    let (subscription, before) = core
        .change(move |core, _| {
            let subscription = core.subscription(&name)?;
            let before = subscription.config();
            let mut config = before.clone();
            edit(&mut config)?;
            if config.dead_letter_policy != before.dead_letter_policy {
                dead_letter_topic(core, &config)?;
            }
            let mut catalogue = core.catalogue();
            for saved in catalogue.subscriptions.iter_mut().filter(|s| s.number == subscription.number) {
                saved.config.clone_from(&config);
            }
            core.save(&catalogue)?;
            subscription.set_config(config);
            Ok((subscription, before))
        })
        .await?;
    let after = subscription.config();
    // A pusher that starts anew gives up what it has in flight: only when it would do something else.
    if (before.push_config, before.bigquery_config, before.ack_deadline_seconds, before.detached)
        != (after.push_config, after.bigquery_config, after.ack_deadline_seconds, after.detached)
    {
        core.refresh_pusher(&subscription).await;
    }
    Ok(subscription)
}

/// A subscription as callers see it.
pub(super) fn shown(core: &Core, subscription: &Subscription) -> pb::Subscription {
    let mut config = subscription.config();
    let topic = core.topic(&config.topic).ok();
    config.topic_message_retention_duration = topic.and_then(|topic| topic.config().message_retention_duration);
    config
}

fn dead_letter_topic(core: &Core, config: &pb::Subscription) -> Result<(), Refusal> {
    match &config.dead_letter_policy {
        Some(policy) => core.topic(&policy.dead_letter_topic).map(|_| ()),
        None => Ok(()),
    }
}
