//! Updates of topics, field by field.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::mask;
use super::schema_check::check_schema_settings;
use super::topics::check;
use crate::core::Core;
use crate::error::Refusal;
use crate::names;

/// Fields that are what they were at creation, or the server's own.
const IMMUTABLE: [&str; 3] = ["name", "state", "satisfies_pzs"];
const UNIMPLEMENTED: [&str; 5] =
    ["message_storage_policy", "kms_key_name", "ingestion_data_source_settings", "message_transforms", "tags"];

pub(crate) async fn update_topic(core: &Arc<Core>, request: pb::UpdateTopicRequest) -> Result<pb::Topic, Refusal> {
    let wanted = request.topic.ok_or_else(|| Refusal::invalid("A topic must be given"))?;
    let paths = mask::paths(request.update_mask)?;
    names::check(&wanted.name, "topics")?;
    core.change(move |core, _| {
        let topic = core.topic(&wanted.name)?;
        let before = topic.config();
        let mut config = before.clone();
        for path in &paths {
            set(&mut config, &wanted, path)?;
        }
        check(&config)?;
        let is_new = config.schema_settings != before.schema_settings;
        let settings = config.schema_settings.as_ref().filter(|_| is_new);
        let guard = settings.map(|settings| check_schema_settings(core, settings)).transpose()?;
        let mut catalogue = core.catalogue();
        for saved in catalogue.topics.iter_mut().filter(|t| t.number == topic.number) {
            saved.config.clone_from(&config);
        }
        core.save(&catalogue)?;
        if is_new {
            topic.set_guard(guard);
        }
        topic.set_config(config);
        Ok(topic.config())
    })
    .await
}

fn set(config: &mut pb::Topic, wanted: &pb::Topic, path: &str) -> Result<(), Refusal> {
    let schema = || wanted.schema_settings.clone().unwrap_or_default();
    match path {
        "labels" => config.labels.clone_from(&wanted.labels),
        "message_retention_duration" => config.message_retention_duration = wanted.message_retention_duration,
        "schema_settings" => config.schema_settings.clone_from(&wanted.schema_settings),
        "schema_settings.schema" => config.schema_settings.get_or_insert_default().schema = schema().schema,
        "schema_settings.encoding" => config.schema_settings.get_or_insert_default().encoding = schema().encoding,
        "schema_settings.first_revision_id" => {
            config.schema_settings.get_or_insert_default().first_revision_id = schema().first_revision_id;
        }
        "schema_settings.last_revision_id" => {
            config.schema_settings.get_or_insert_default().last_revision_id = schema().last_revision_id;
        }
        _ => return Err(mask::refused("Topic", path, &IMMUTABLE, &UNIMPLEMENTED)),
    }
    Ok(())
}
