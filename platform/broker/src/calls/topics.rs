//! Topics: create, get, list, delete.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::subscription_check::labels;
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
        let number = core.last_number.load(Ordering::Acquire) + 1;
        let mut catalogue = core.snapshot();
        catalogue.last_number = number;
        catalogue.topics.push(SavedTopic { number, config: config.clone() });
        core.save(&catalogue)?;
        core.last_number.store(number, Ordering::Release);
        write(&core.topics).insert(config.name.clone(), Arc::new(Topic::new(number, config.clone())));
        Ok(config)
    })
    .await
}

pub(crate) fn get_topic(core: &Core, name: &str) -> Result<pb::Topic, Refusal> {
    names::check(name, "topics")?;
    Ok(core.topic(name)?.config.clone())
}

pub(crate) fn list_topics(core: &Core, request: &pb::ListTopicsRequest) -> Result<pb::ListTopicsResponse, Refusal> {
    let project = names::project(&request.project)?;
    let all: Vec<Arc<Topic>> =
        read(&core.topics).values().filter(|t| in_project(&t.config.name, project)).cloned().collect();
    let (topics, next_page_token) = page(all, |t| &t.config.name, request.page_size, &request.page_token)?;
    let topics = topics.iter().map(|t| t.config.clone()).collect();
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
        let mut catalogue = core.snapshot();
        catalogue.topics.retain(|t| t.number != topic.number);
        for saved in catalogue.subscriptions.iter_mut().filter(|s| s.topic == topic.number) {
            names::DELETED_TOPIC.clone_into(&mut saved.config.topic);
        }
        core.save(&catalogue)?;
        topic.close();
        for subscription in topic.subscriptions() {
            subscription.set_topic_name(names::DELETED_TOPIC);
        }
        write(&core.topics).remove(&name);
        Ok(())
    })
    .await
}

/// Refuses by name what this broker does not do.
fn check(config: &pb::Topic) -> Result<(), Refusal> {
    labels(&config.labels)?;
    let refused = [
        (config.message_storage_policy.is_some(), "Topic.message_storage_policy"),
        (!config.kms_key_name.is_empty(), "Topic.kms_key_name"),
        (config.schema_settings.is_some(), "Topic.schema_settings"),
        (config.message_retention_duration.is_some(), "Topic.message_retention_duration"),
        (config.ingestion_data_source_settings.is_some(), "Topic.ingestion_data_source_settings"),
        (!config.message_transforms.is_empty(), "Topic.message_transforms"),
    ];
    match refused.iter().find(|(set, _)| *set) {
        Some((_, what)) => Err(Refusal::unimplemented(what)),
        None => Ok(()),
    }
}
