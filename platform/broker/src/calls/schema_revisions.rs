//! The revisions of a schema: list, commit, roll back, delete.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::page::page;
use super::schema_check::{blocking, parsed};
use super::schemas::{add, named, next, revision, shown};
use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::limits::SCHEMA_REVISIONS;
use crate::names;
use crate::schema::{Definition, Revision, Schema, compatible};

/// Lists a schema's revisions, oldest first.
pub(crate) fn list_schema_revisions(
    core: &Core,
    request: &pb::ListSchemaRevisionsRequest,
) -> Result<pb::ListSchemaRevisionsResponse, Refusal> {
    let (name, _) = named(&request.name)?;
    let revisions = core.schema(name)?.revisions();
    let numbered = revisions.iter().map(|r| (format!("{:010}", r.number), r)).collect();
    let (revisions, next_page_token) =
        page(numbered, |(number, _): &(String, _)| number, request.page_size, &request.page_token)?;
    let schemas = revisions.iter().map(|(_, revision)| shown(revision, request.view())).collect();
    Ok(pb::ListSchemaRevisionsResponse { schemas, next_page_token })
}

/// Adds a revision that fits all there are.
pub(crate) async fn commit_schema(core: &Arc<Core>, request: pb::CommitSchemaRequest) -> Result<pb::Schema, Refusal> {
    names::check(&request.name, "schemas")?;
    let commit = request.schema.ok_or_else(|| Refusal::invalid("The schema to commit is missing"))?;
    if !commit.name.is_empty() && commit.name != request.name {
        return Err(Refusal::invalid(format!("The schema to commit is called {}, not {}", commit.name, request.name)));
    }
    let kind = core.schema(&request.name)?.kind();
    if commit.r#type() != kind {
        return Err(Refusal::invalid(format!("The type of a schema cannot change: it is {}", kind.as_str_name())));
    }
    let definition = parsed(&commit).await?;
    let config = pb::Schema { name: request.name, ..commit };
    loop {
        // Compared here, not on the log's writer, which others wait for; so what was compared may be old by then.
        let schema = core.schema(&config.name)?;
        let compared = schema.revisions();
        let (beside, new) = (Arc::clone(&compared), Arc::clone(&definition));
        blocking(move || fits(&beside, &new)).await??;
        let (config, definition) = (config.clone(), Arc::clone(&definition));
        let added = core.change(move |core, _| append(core, &schema, Some(&compared), config, definition)).await?;
        if let Some(added) = added {
            return Ok(added);
        }
    }
}

/// Adds a revision that is a copy of an older one.
pub(crate) async fn rollback_schema(
    core: &Arc<Core>,
    request: pb::RollbackSchemaRequest,
) -> Result<pb::Schema, Refusal> {
    names::check(&request.name, "schemas")?;
    core.change(move |core, _| {
        let to = revision(core, &format!("{}@{}", request.name, request.revision_id))?;
        let definition = to.definition.map_err(Refusal::invalid)?;
        let added = append(core, &core.schema(&request.name)?, None, to.config, definition)?;
        added.ok_or_else(|| Refusal::not_found("Schema", &request.name))
    })
    .await
}

/// Deletes a revision that is not the only one, and gives it.
pub(crate) async fn delete_schema_revision(
    core: &Arc<Core>,
    request: pb::DeleteSchemaRevisionRequest,
) -> Result<pb::Schema, Refusal> {
    if named(&request.name)?.1.is_none() {
        return Err(Refusal::invalid(format!("{} does not name a revision: expected name@revision", request.name)));
    }
    core.change(move |core, _| {
        let gone = revision(core, &request.name)?;
        let schema = core.schema(&gone.config.name)?;
        let mut revisions = schema.revisions().to_vec();
        revisions.retain(|r| r.number != gone.number);
        if revisions.is_empty() {
            return Err(Refusal::invalid("Cannot delete last revision. Please use DeleteSchema."));
        }
        let mut catalogue = core.catalogue();
        catalogue.schemas.retain(|saved| saved.name != schema.name || saved.revision_id != gone.id());
        core.save(&catalogue)?;
        schema.set_revisions(revisions);
        Ok(gone.config)
    })
    .await
}

fn fits(revisions: &[Revision], new: &Definition) -> Result<(), Refusal> {
    for old in revisions.iter().rev() {
        if let Ok(definition) = &old.definition {
            compatible(definition, new).map_err(|why| {
                Refusal::invalid(format!(
                    "Compatibility checking failed to commit a schema revision for (schema=\"{}\"). (reason=\"Revision \
                     is incompatible with previous revision: {}. Failed with error: {why}\").",
                    old.config.name,
                    old.id()
                ))
            })?;
        }
    }
    Ok(())
}

/// Adds a revision on the log's writer. None when the schema is no more what it was `compared` with.
fn append(
    core: &Core,
    schema: &Arc<Schema>,
    compared: Option<&Arc<Vec<Revision>>>,
    config: pb::Schema,
    definition: Arc<Definition>,
) -> Result<Option<pb::Schema>, Refusal> {
    let revisions = schema.revisions();
    if schema.is_deleted() || compared.is_some_and(|compared| !Arc::ptr_eq(compared, &revisions)) {
        return Ok(None);
    }
    if revisions.len() >= SCHEMA_REVISIONS {
        return Err(Refusal::new(
            Code::FailedPrecondition,
            format!("{} has {SCHEMA_REVISIONS} revisions, the maximum: delete one first", schema.name),
        ));
    }
    let added = next(core, config, definition);
    let mut catalogue = core.catalogue();
    add(core, &mut catalogue, &added)?;
    let shown = added.config.clone();
    let mut revisions = revisions.to_vec();
    revisions.push(added);
    schema.set_revisions(revisions);
    Ok(Some(shown))
}
