//! Where the broker meets its warehouse: a subscription is created, a writer is started.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::big_query_config::State;
use tokio::task::JoinHandle;

use super::door::Trouble;
use super::plan::Plan;
use super::table_name::TableName;
use super::topic_schema::TopicSchema;
use super::writer;
use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::schema::Reading;
use crate::subscription::Subscription;
use crate::topic::Topic;

/// Checks that a subscription's table is there and takes what the subscription writes, as the service does at creation.
pub(crate) async fn check_fits(core: &Core, topic: &Topic, config: &pb::BigQueryConfig) -> Result<(), Refusal> {
    let Some(warehouse) = &core.settings.warehouse else {
        return Err(Refusal::new(
            Code::FailedPrecondition,
            "Subscription.bigquery_config needs a warehouse, and this broker was started without one",
        ));
    };
    let table = table_name(config)?;
    let refused = |code, why: String| Refusal::new(code, format!("BigQuery table {table}: {why}"));
    let found = warehouse.look_up(&table).await.map_err(|trouble| match trouble {
        Trouble::NotFound => {
            refused(Code::NotFound, "the BigQuery table or dataset specified cannot be found".to_owned())
        }
        Trouble::PermissionDenied(why) => refused(Code::PermissionDenied, why),
        Trouble::SchemaMismatch(why) => refused(Code::InvalidArgument, why),
        Trouble::Unavailable(why) => refused(Code::Unavailable, why),
    })?;
    let schema = topic_schema(config, topic, None).map_err(Refusal::invalid)?;
    Plan::new(config, &found, schema.map(|schema| schema as Arc<dyn TopicSchema>))
        .map_err(|why| refused(Code::InvalidArgument, why))
        .map(|_| ())
}

/// Reads the name of a subscription's table.
pub(super) fn table_name(config: &pb::BigQueryConfig) -> Result<TableName, Refusal> {
    let name: Result<TableName, _> = config.table.parse();
    name.map_err(|bad| Refusal::invalid(format!("Invalid BigQuery table name given ({}): {bad}", config.table)))
}

/// The topic's schema as it is now, if the subscription uses it. `known` is kept while nothing has changed.
pub(super) fn topic_schema(
    config: &pb::BigQueryConfig,
    topic: &Topic,
    known: Option<Arc<Reading>>,
) -> Result<Option<Arc<Reading>>, String> {
    if !config.use_topic_schema {
        return Ok(None);
    }
    let guard = topic.guard().ok_or("use_topic_schema needs a topic that has a schema")?;
    match known.filter(|known| known.is_current(&guard)) {
        Some(known) => Ok(Some(known)),
        None => Reading::of(guard).map(|new| Some(Arc::new(new))),
    }
}

/// Starts to write a subscription's messages to its table. `None` when the broker has no warehouse (any more): the messages wait.
pub(crate) fn start(
    core: &Arc<Core>,
    subscription: &Arc<Subscription>,
    config: pb::BigQueryConfig,
) -> Option<JoinHandle<()>> {
    match (&core.settings.warehouse, table_name(&config)) {
        (Some(warehouse), Ok(table)) => {
            let writer = writer::run(Arc::clone(core), Arc::clone(subscription), Arc::clone(warehouse), table, config);
            Some(tokio::spawn(writer))
        }
        _ => {
            subscription.set_bigquery_state(State::NotFound);
            tracing::warn!(
                subscription = %subscription.name,
                "a BigQuery subscription waits: this broker was started without a warehouse"
            );
            None
        }
    }
}
