//! Topics: create, get, list, delete.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::schema_check::check_schema_settings;
use super::subscription_check::{labels, retention};
use crate::core::{Core, in_project};
use crate::error::Refusal;
use crate::log::SavedTopic;
use crate::names;
use crate::sync::{read, write};
use crate::topic::Topic;

pub(crate) async fn create_topic(core: &Arc<Core>, mut config: pb::Topic) -> Result<pb::Topic, Refusal> {
    names::check(&config.name, "topics")?;
    check(&config)?;
    config.state = pb::topic::State::Active.into();
    core.change(move |core, _| {
        if core.topic(&config.name).is_ok() {
            return Err(Refusal::already_exists("Topic", &config.name));
        }
        let guard = config.schema_settings.as_ref().map(|s| check_schema_settings(core, s)).transpose()?;
        let number = core.last_number.load(Ordering::Acquire) + 1;
        let mut catalogue = core.catalogue();
        catalogue.last_number = number;
        catalogue.topics.push(SavedTopic { number, config: config.clone() });
        core.save(&catalogue)?;
        core.last_number.store(number, Ordering::Release);
        let topic = Topic::new(number, config.clone());
        topic.set_guard(guard);
        write(&core.topics).insert(config.name.clone(), Arc::new(topic));
        Ok(config)
    })
    .await
}

pub(crate) fn get_topic(core: &Core, name: &str) -> Result<pb::Topic, Refusal> {
    names::check(name, "topics")?;
    Ok(core.topic(name)?.config())
}

pub(crate) fn list_topics(core: &Core, request: &pb::ListTopicsRequest) -> Result<pb::ListTopicsResponse, Refusal> {
    let project = names::project(&request.project)?;
    let all: Vec<Arc<Topic>> = read(&core.topics).values().filter(|t| in_project(&t.name, project)).cloned().collect();
    let (topics, next_page_token) = page(all, |t| &t.name, request.page_size, &request.page_token)?;
    let topics = topics.iter().map(|t| t.config()).collect();
    Ok(pb::ListTopicsResponse { topics, next_page_token })
}

pub(crate) fn list_topic_subscriptions(
    core: &Core,
    request: &pb::ListTopicSubscriptionsRequest,
) -> Result<pb::ListTopicSubscriptionsResponse, Refusal> {
    names::check(&request.topic, "topics")?;
    let all = core.topic(&request.topic)?.subscriptions().iter().map(|s| s.name.clone()).collect();
    let (subscriptions, next_page_token) = page(all, |name: &String| name, request.page_size, &request.page_token)?;
    Ok(pb::ListTopicSubscriptionsResponse { subscriptions, next_page_token })
}

/// Deletes a topic. Its subscriptions stay and give out what they have.
pub(crate) async fn delete_topic(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    names::check(&name, "topics")?;
    core.change(move |core, _| {
        let topic = core.topic(&name)?;
        let mut catalogue = core.catalogue();
        catalogue.topics.retain(|t| t.number != topic.number);
        for saved in catalogue.subscriptions.iter_mut().filter(|s| s.topic == topic.number) {
            names::DELETED_TOPIC.clone_into(&mut saved.config.topic);
        }
        for saved in catalogue.snapshots.iter_mut().filter(|s| s.topic == topic.number) {
            names::DELETED_TOPIC.clone_into(&mut saved.config.topic);
        }
        core.save(&catalogue)?;
        topic.close();
        let gone = |topic: &mut String| names::DELETED_TOPIC.clone_into(topic);
        for subscription in core.all_subscriptions().iter().filter(|s| s.topic.number == topic.number) {
            let mut config = subscription.config();
            gone(&mut config.topic);
            subscription.set_config(config);
        }
        for snapshot in read(&core.snapshots).values().filter(|s| s.topic == topic.number) {
            let mut config = snapshot.config();
            gone(&mut config.topic);
            snapshot.set_config(config);
        }
        write(&core.topics).remove(&name);
        Ok(())
    })
    .await
}

/// Refuses what no topic may have, and by name what this broker does not do.
pub(super) fn check(config: &pb::Topic) -> Result<(), Refusal> {
    labels(&config.labels)?;
    if let Some(duration) = &config.message_retention_duration {
        retention(duration)?;
    }
    let refused = [
        (config.message_storage_policy.is_some(), "Topic.message_storage_policy"),
        (!config.kms_key_name.is_empty(), "Topic.kms_key_name"),
        (config.ingestion_data_source_settings.is_some(), "Topic.ingestion_data_source_settings"),
        (!config.message_transforms.is_empty(), "Topic.message_transforms"),
    ];
    match refused.iter().find(|(set, _)| *set) {
        Some((_, what)) => Err(Refusal::unimplemented(what)),
        None => Ok(()),
    }
}
