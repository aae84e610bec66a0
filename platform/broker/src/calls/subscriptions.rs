//! Subscriptions: create, get, list, delete, and where they push to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::subscription_check::{check, push_config};
use crate::core::{Core, in_project};
use crate::error::Refusal;
use crate::log::SavedSubscription;
use crate::names;
use crate::subscription::Subscription;
use crate::sync::{read, write};

pub(crate) async fn create_subscription(
    core: &Arc<Core>,
    mut config: pb::Subscription,
) -> Result<pb::Subscription, Refusal> {
    check(&mut config)?;
    let subscription = core
        .change(move |core, next_id| {
            if core.subscription(&config.name).is_ok() {
                return Err(Refusal::already_exists("Subscription", &config.name));
            }
            let topic = core.topic(&config.topic)?;
            if let Some(policy) = &config.dead_letter_policy {
                core.topic(&policy.dead_letter_topic)?;
            }
            let number = core.last_number.load(Ordering::Acquire) + 1;
            let mut catalogue = core.snapshot();
            catalogue.last_number = number;
            let saved = SavedSubscription { number, topic: topic.number, from_id: next_id, config };
            catalogue.subscriptions.push(saved.clone());
            core.save(&catalogue)?;
            core.last_number.store(number, Ordering::Release);
            let topic_of = Arc::clone(&topic);
            let subscription = Arc::new(Subscription::new(number, next_id, saved.config, topic_of, &core.ground()));
            write(&core.subscriptions).insert(subscription.name.clone(), Arc::clone(&subscription));
            topic.attach(Arc::clone(&subscription));
            Ok(subscription)
        })
        .await?;
    core.refresh_pusher(&subscription).await;
    Ok(subscription.config())
}

pub(crate) fn get_subscription(core: &Core, name: &str) -> Result<pb::Subscription, Refusal> {
    names::check(name, "subscriptions")?;
    Ok(core.subscription(name)?.config())
}

pub(crate) fn list_subscriptions(
    core: &Core,
    request: &pb::ListSubscriptionsRequest,
) -> Result<pb::ListSubscriptionsResponse, Refusal> {
    let project = names::project(&request.project)?;
    let all: Vec<Arc<Subscription>> =
        read(&core.subscriptions).values().filter(|s| in_project(&s.name, project)).cloned().collect();
    let (subscriptions, next_page_token) = page(all, |s| &s.name, request.page_size, &request.page_token)?;
    let subscriptions = subscriptions.iter().map(|s| s.config()).collect();
    Ok(pb::ListSubscriptionsResponse { subscriptions, next_page_token })
}

/// Deletes a subscription with its backlog.
pub(crate) async fn delete_subscription(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    names::check(&name, "subscriptions")?;
    let subscription = core
        .change(move |core, _| {
            let subscription = core.subscription(&name)?;
            let mut catalogue = core.snapshot();
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
    config: Option<pb::PushConfig>,
) -> Result<(), Refusal> {
    names::check(&name, "subscriptions")?;
    push_config(config.as_ref())?;
    let subscription = core
        .change(move |core, _| {
            let subscription = core.subscription(&name)?;
            let mut catalogue = core.snapshot();
            for saved in catalogue.subscriptions.iter_mut().filter(|s| s.number == subscription.number) {
                saved.config.push_config.clone_from(&config);
            }
            core.save(&catalogue)?;
            subscription.set_push_config(config);
            Ok(subscription)
        })
        .await?;
    core.refresh_pusher(&subscription).await;
    Ok(())
}
