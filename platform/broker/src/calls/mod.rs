//! The calls of the API, once, for both doors.

mod acks;
mod bigquery_check;
mod iam;
mod mask;
mod page;
mod publish;
mod pull;
mod push_check;
mod schema_check;
mod schema_revisions;
mod schemas;
mod seek;
mod snapshots;
mod subscription_check;
mod subscriptions;
mod topics;
mod update_subscription;
mod update_topic;

pub(crate) use acks::{acknowledge, modify_ack_deadline, settle};
pub(crate) use iam::{no_policy, test_iam_permissions};
pub(crate) use publish::publish;
pub(crate) use pull::{Received, pull, received};
pub(crate) use schema_check::{validate_message, validate_schema};
pub(crate) use schema_revisions::{commit_schema, delete_schema_revision, list_schema_revisions, rollback_schema};
pub(crate) use schemas::{create_schema, delete_schema, get_schema, list_schemas};
pub(crate) use seek::seek;
pub(crate) use snapshots::{
    create_snapshot, delete_snapshot, get_snapshot, list_snapshots, list_topic_snapshots, update_snapshot,
};
pub(crate) use subscriptions::{
    create_subscription, delete_subscription, detach_subscription, get_subscription, list_subscriptions,
    modify_push_config,
};
pub(crate) use topics::{create_topic, delete_topic, get_topic, list_topic_subscriptions, list_topics};
pub(crate) use update_subscription::update_subscription;
pub(crate) use update_topic::update_topic;
