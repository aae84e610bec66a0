//! What the messages of one topic are held to.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::revisions::number_of;
use super::{Encoding, Revision, Schema};
use crate::error::{Code, Refusal};

/// What a topic's schema is called once it is deleted.
const DELETED_SCHEMA: &str = "_deleted-schema_";

/// A topic's schema settings and the schema they name.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    settings: pb::SchemaSettings,
    encoding: Encoding,
    /// None when it was deleted before the broker started.
    schema: Option<Arc<Schema>>,
}

impl Guard {
    /// Binds settings to the schema they name.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without an encoding or with revisions the wrong way round, `NOT_FOUND` for a revision that
    /// is not there.
    pub(crate) fn new(settings: pb::SchemaSettings, schema: Arc<Schema>) -> Result<Guard, Refusal> {
        let encoding = Encoding::of(settings.encoding)
            .ok_or_else(|| Refusal::invalid("schema_settings.encoding must be JSON or BINARY"))?;
        for id in [&settings.first_revision_id, &settings.last_revision_id] {
            if !id.is_empty() && !schema.revisions().iter().any(|revision| revision.id() == id) {
                return Err(Refusal::not_found("Schema revision", &format!("{}@{id}", schema.name)));
            }
        }
        let guard = Guard { settings, encoding, schema: Some(schema) };
        let (first, last) = guard.range();
        if first > last {
            return Err(Refusal::invalid("schema_settings.first_revision_id is newer than last_revision_id"));
        }
        Ok(guard)
    }

    /// Settings of the catalogue. They were checked when they came in.
    pub(crate) fn restored(settings: pb::SchemaSettings, schema: Option<Arc<Schema>>) -> Guard {
        let encoding = Encoding::of(settings.encoding).unwrap_or(Encoding::Json);
        Guard { settings, encoding, schema }
    }

    /// The settings as they are shown.
    pub(crate) fn settings(&self) -> pb::SchemaSettings {
        let mut settings = self.settings.clone();
        if self.schema().is_none() {
            DELETED_SCHEMA.clone_into(&mut settings.schema);
        }
        settings
    }

    fn schema(&self) -> Option<&Schema> {
        self.schema.as_deref().filter(|schema| !schema.is_deleted())
    }

    /// All revisions as they are now. None when the schema is deleted.
    pub(super) fn revisions(&self) -> Option<Arc<Vec<Revision>>> {
        self.schema().map(Schema::revisions)
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Numbers of the first and the last revision allowed. The next or the one before stands in for a deleted one.
    fn range(&self) -> (u32, u32) {
        let first = number_of(&self.settings.first_revision_id).unwrap_or(0);
        (first, number_of(&self.settings.last_revision_id).unwrap_or(u32::MAX))
    }

    /// The revisions as they are now, for the messages of one request.
    ///
    /// # Errors
    /// `NOT_FOUND`, as the service says it, when the schema is deleted.
    pub(crate) fn allowed(&self) -> Result<Allowed, Refusal> {
        let schema =
            self.schema().ok_or_else(|| Refusal::new(Code::NotFound, "Schema associated with topic deleted."))?;
        let (first, last) = self.range();
        let revisions = schema.revisions();
        let newest_first = revisions.iter().rev().filter(|r| (first..=last).contains(&r.number)).cloned().collect();
        Ok(Allowed { schema: schema.name.clone(), encoding: self.encoding, newest_first })
    }
}

/// The revisions that the messages of one request may follow.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) schema: String,
    pub(crate) encoding: Encoding,
    pub(super) newest_first: Vec<Revision>,
}

impl Allowed {
    /// The id of the newest revision that a message's data follows.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, with what the revision looked at last says.
    pub(crate) fn check(&self, data: &[u8]) -> Result<&str, Refusal> {
        let mut last = "there is no revision in the topic's range".to_owned();
        for revision in &self.newest_first {
            let checked = revision.definition.as_ref().map_err(Clone::clone);
            match checked.and_then(|definition| definition.validate(self.encoding, data)) {
                Ok(()) => return Ok(revision.id()),
                Err(why) => {
                    last = format!("last checked revision: revision_id={} failed with status: {why}", revision.id())
                }
            }
        }
        Err(Refusal::invalid(format!(
            "Invalid data in message: Message failed schema validation. Could not validate message with any schema \
             revision for schema: {}, {last}",
            self.schema
        )))
    }
}
