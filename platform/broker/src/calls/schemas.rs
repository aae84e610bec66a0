//! Schemas: create, get, list, delete.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::schema_check::parsed;
use crate::core::{Core, in_project};
use crate::error::{Code, Refusal};
use crate::limits::SCHEMAS_BYTES;
use crate::log::SavedCatalogue;
use crate::names;
use crate::schema::{Definition, Revision, Schema};
use crate::sync::{read, write};

pub(crate) async fn create_schema(core: &Arc<Core>, request: pb::CreateSchemaRequest) -> Result<pb::Schema, Refusal> {
    let project = names::project(&request.parent)?;
    let name = format!("projects/{project}/schemas/{}", request.schema_id);
    names::check(&name, "schemas")?;
    let schema = request.schema.ok_or_else(|| Refusal::invalid("The schema to create is missing"))?;
    let definition = parsed(&schema).await?;
    core.change(move |core, _| {
        if core.schema(&name).is_ok() {
            return Err(Refusal::already_exists("Schema", &name));
        }
        let revision = next(core, pb::Schema { name: name.clone(), ..schema }, definition);
        let mut catalogue = core.catalogue();
        add(core, &mut catalogue, &revision)?;
        let shown = revision.config.clone();
        write(&core.schemas).insert(name, Arc::new(Schema::new(vec![revision])));
        Ok(shown)
    })
    .await
}

pub(crate) fn get_schema(core: &Core, request: &pb::GetSchemaRequest) -> Result<pb::Schema, Refusal> {
    let revision = revision(core, &request.name)?;
    let view = if request.view() == pb::SchemaView::Basic { pb::SchemaView::Basic } else { pb::SchemaView::Full };
    Ok(shown(&revision, view))
}

pub(crate) fn list_schemas(core: &Core, request: &pb::ListSchemasRequest) -> Result<pb::ListSchemasResponse, Refusal> {
    let project = names::project(&request.parent)?;
    let all: Vec<Arc<Schema>> =
        read(&core.schemas).values().filter(|s| in_project(&s.name, project)).cloned().collect();
    let (schemas, next_page_token) = page(all, |s| &s.name, request.page_size, &request.page_token)?;
    let newest = schemas.iter().filter_map(|s| s.revisions().last().map(|r| shown(r, request.view())));
    Ok(pb::ListSchemasResponse { schemas: newest.collect(), next_page_token })
}

/// Deletes a schema with its revisions. Topics that have it take no messages until they are given another. Nothing is
/// changed in them: on disk, too, a schema that is not there is a deleted one.
pub(crate) async fn delete_schema(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    names::check(&name, "schemas")?;
    core.change(move |core, _| {
        let schema = core.schema(&name)?;
        let mut catalogue = core.catalogue();
        catalogue.schemas.retain(|saved| saved.name != name);
        core.save(&catalogue)?;
        schema.delete();
        write(&core.schemas).remove(&name);
        Ok(())
    })
    .await
}

/// The revision of `name@revision`, or the newest one of `name`.
pub(super) fn revision(core: &Core, name: &str) -> Result<Revision, Refusal> {
    let (schema, id) = named(name)?;
    let revisions = core.schema(schema)?.revisions();
    let found = match id {
        Some(id) => revisions.iter().find(|revision| revision.id() == id),
        None => revisions.last(),
    };
    found.cloned().ok_or_else(|| Refusal::not_found("Schema revision", name))
}

/// A schema's name and the id of a revision, if there is one.
pub(super) fn named(name: &str) -> Result<(&str, Option<&str>), Refusal> {
    let (schema, revision) = match name.split_once('@') {
        Some((schema, revision)) => (schema, Some(revision)),
        None => (name, None),
    };
    names::check(schema, "schemas")?;
    Ok((schema, revision))
}

pub(super) fn shown(revision: &Revision, view: pb::SchemaView) -> pb::Schema {
    let mut schema = revision.config.clone();
    if view != pb::SchemaView::Full {
        schema.definition = String::new();
    }
    schema
}

/// The next revision, not yet in the catalogue.
pub(super) fn next(core: &Core, config: pb::Schema, definition: Arc<Definition>) -> Revision {
    let now_ms = core.clock.wall_ms();
    let created = prost_types::Timestamp {
        seconds: i64::try_from(now_ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(now_ms % 1000 * 1_000_000).unwrap_or(0),
    };
    let number = core.last_number.load(Ordering::Acquire) + 1;
    Revision::new(number, pb::Schema { revision_create_time: Some(created), ..config }, definition)
}

/// Puts a revision into the catalogue, and the catalogue on disk.
pub(super) fn add(core: &Core, catalogue: &mut SavedCatalogue, revision: &Revision) -> Result<(), Refusal> {
    catalogue.last_number = revision.number;
    catalogue.schemas.push(revision.config.clone());
    let bytes: usize = catalogue.schemas.iter().map(|schema| schema.definition.len()).sum();
    if bytes > SCHEMAS_BYTES {
        return Err(Refusal::new(
            Code::ResourceExhausted,
            format!("all definitions would have {bytes} bytes, but this broker keeps {SCHEMAS_BYTES}"),
        ));
    }
    core.save(catalogue)?;
    core.last_number.store(revision.number, Ordering::Release);
    Ok(())
}
