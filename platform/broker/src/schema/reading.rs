//! Messages of a topic as fields of rows, by the topic's schema as it is at one time.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Encoding, Guard, Revision};
use crate::warehouse::{Field, TopicSchema, Type};

/// A topic's schema at one time.
pub(crate) struct Reading {
    guard: Arc<Guard>,
    revisions: Arc<Vec<Revision>>,
    encoding: Encoding,
    /// Of the newest revision allowed.
    fields: Vec<Field>,
    /// What may be read, newest first, or why it may not.
    allowed: Vec<(Revision, Result<(), String>)>,
    /// What was allowed once: messages may still be stamped with it.
    others: Vec<(Revision, Result<(), String>)>,
}

impl Reading {
    /// What the schema of `guard` is now.
    ///
    /// # Errors
    /// Why there is none, or why the newest revision allowed makes no rows.
    pub(crate) fn of(guard: Arc<Guard>) -> Result<Reading, String> {
        let revisions = guard.revisions().ok_or("the topic's schema is deleted")?;
        let allowed = guard.allowed().map_err(|refusal| refusal.message)?.newest_first;
        let newest = allowed.first().ok_or("the topic's schema has no revision in the topic's range")?;
        let fields = fields(newest)?;
        let others = revisions.iter().filter(|r| allowed.iter().all(|a| a.number != r.number)).cloned().collect();
        let judged = |list: Vec<Revision>| {
            let judge = |revision: Revision| {
                let verdict = self::fields(&revision).and_then(|own| same_bytes(&own, &fields));
                (revision, verdict)
            };
            list.into_iter().map(judge).collect()
        };
        let (allowed, others) = (judged(allowed), judged(others));
        Ok(Reading { encoding: guard.encoding(), guard, revisions, fields, allowed, others })
    }

    /// Whether the schema of a topic that is held to `guard` is still this.
    pub(crate) fn is_current(&self, guard: &Arc<Guard>) -> bool {
        Arc::ptr_eq(&self.guard, guard) && guard.revisions().is_some_and(|now| Arc::ptr_eq(&now, &self.revisions))
    }

    fn read_by(
        &self,
        (revision, verdict): &(Revision, Result<(), String>),
        data: &[u8],
    ) -> Result<Map<String, Value>, String> {
        verdict.clone()?;
        revision.definition.as_ref().map_err(Clone::clone)?.row(self.encoding, data)
    }
}

impl TopicSchema for Reading {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The revision of the stamp decides: what is binary may fit another one by chance and mean something else there.
    fn read(&self, data: &[u8], revision: Option<&str>) -> Result<Map<String, Value>, String> {
        let mut known = self.allowed.iter().chain(&self.others);
        if let Some(stamped) = revision.and_then(|id| known.find(|(revision, _)| revision.id() == id)) {
            return self.read_by(stamped, data);
        }
        let mut last = String::new();
        for allowed in &self.allowed {
            match self.read_by(allowed, data) {
                Ok(row) => return Ok(row),
                Err(why) => last = why,
            }
        }
        Err(format!("the message fits no revision of the topic's schema: {last}"))
    }
}

fn fields(revision: &Revision) -> Result<Vec<Field>, String> {
    revision.definition.as_ref().map_err(Clone::clone)?.fields()
}

/// Bytes and strings are compatible in Avro, but bytes go to columns as base64: a column of one kind would take the
/// other for what it is not.
fn same_bytes(own: &[Field], newest: &[Field]) -> Result<(), String> {
    let is_bytes = |field: &Field| field.types.contains(&Type::Bytes);
    for field in own {
        let Some(now) = newest.iter().find(|now| now.name.eq_ignore_ascii_case(&field.name)) else { continue };
        if is_bytes(field) != is_bytes(now) && !field.types.is_empty() && !now.types.is_empty() {
            return Err(format!("field {} is bytes in one revision of the schema and not in another", field.name));
        }
        same_bytes(&field.fields, &now.fields)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Definition, Schema, Type as Kind};
    use super::*;
    use google_cloud_googleapis::pubsub::v1 as pb;
    use serde_json::json;

    fn schema(kinds: &[&str]) -> Arc<Schema> {
        let revision = |(number, kind): (u32, &&str)| {
            let fields = json!([{"name": "f", "type": kind}, {"name": "g", "type": "int", "default": 0}]);
            let text = json!({"type": "record", "name": "M", "fields": fields}).to_string();
            let definition = Definition::parse(Kind::Avro, &text).unwrap();
            Revision::new(number, pb::Schema::default(), Arc::new(definition))
        };
        Arc::new(Schema::new((1..).zip(kinds).map(revision).collect()))
    }

    fn guard(schema: &Arc<Schema>) -> Arc<Guard> {
        let settings = pb::SchemaSettings { encoding: pb::Encoding::Json.into(), ..Default::default() };
        Arc::new(Guard::new(settings, Arc::clone(schema)).unwrap())
    }

    #[test]
    fn bytes_are_not_read_for_a_column_of_text_nor_text_for_one_of_bytes() {
        for kinds in [["string", "bytes"], ["bytes", "string"]] {
            let schema = schema(&kinds);
            let reading = Reading::of(guard(&schema)).unwrap();
            let (old, new) = (schema.revisions()[0].id().to_owned(), schema.revisions()[1].id().to_owned());
            let message = br#"{"f": "abcd", "g": 1}"#;
            assert!(reading.read(message, Some(&new)).is_ok());
            let why = reading.read(message, Some(&old)).unwrap_err();
            assert!(why.contains("field f is bytes"), "{why}");
        }
    }

    #[test]
    fn without_a_known_stamp_the_newest_revision_that_fits_reads() {
        let reading = Reading::of(guard(&schema(&["int", "string"]))).unwrap();
        for stamp in [None, Some("unknown")] {
            assert_eq!(reading.read(br#"{"f": "x", "g": 1}"#, stamp).unwrap()["f"], "x");
            assert_eq!(reading.read(br#"{"f": 1, "g": 1}"#, stamp).unwrap()["f"], 1);
            assert!(reading.read(b"{}", stamp).is_err());
        }
    }

    #[test]
    fn a_reading_ends_with_a_new_revision_new_settings_or_the_schema() {
        let schema = schema(&["int"]);
        let held = guard(&schema);
        let reading = Reading::of(Arc::clone(&held)).unwrap();
        assert!(reading.is_current(&held) && !reading.is_current(&guard(&schema)));
        schema.set_revisions(schema.revisions().to_vec());
        assert!(!reading.is_current(&held));
        let reading = Reading::of(Arc::clone(&held)).unwrap();
        schema.delete();
        assert!(!reading.is_current(&held) && Reading::of(held).is_err());
    }
}
