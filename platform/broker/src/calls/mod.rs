//! The calls of the API, once, for both doors.

mod acks;
mod page;
mod publish;
mod pull;
mod subscription_check;
mod subscriptions;
mod topics;

pub(crate) use acks::{acknowledge, modify_ack_deadline, settle};
pub(crate) use publish::publish;
pub(crate) use pull::{Received, pull, received};
pub(crate) use subscriptions::{
    create_subscription, delete_subscription, get_subscription, list_subscriptions, modify_push_config,
};
pub(crate) use topics::{create_topic, delete_topic, get_topic, list_topic_subscriptions, list_topics};
