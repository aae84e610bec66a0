//! What a subscription writes into which columns of its table.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;

use super::column::{Column, Mode, Type};
use super::door::Table;
use super::shape::Shape;
use super::topic_schema::{self, TopicSchema};

/// How messages of a subscription become rows of its table.
pub(super) struct Plan {
    pub(super) source: Source,
    /// Names of the metadata's columns, when it is written.
    pub(super) metadata: Option<Metadata>,
    pub(super) drop_unknown: bool,
}

/// Where a row's columns come from.
pub(super) enum Source {
    /// The whole message goes into one column.
    Data(Column),
    /// The fields of the message go into columns of their names.
    Fields(Shape, Option<Arc<dyn TopicSchema>>),
}

/// The columns of the metadata, as the table spells them.
pub(super) struct Metadata {
    pub(super) subscription_name: String,
    pub(super) message_id: String,
    pub(super) publish_time: String,
    pub(super) attributes: String,
}

impl Plan {
    /// Makes a plan, if the table fits the subscription.
    ///
    /// # Errors
    /// Why it does not fit.
    pub(super) fn new(
        config: &pb::BigQueryConfig,
        table: &Table,
        topic_schema: Option<Arc<dyn TopicSchema>>,
    ) -> Result<Plan, String> {
        let whole = Shape::new(table.columns.clone())?;
        let metadata = if config.write_metadata { Some(Metadata::of(&whole)?) } else { None };
        let is_metadata = |column: &Column| metadata.as_ref().is_some_and(|names| names.has(&column.name));
        let source = if config.use_table_schema || config.use_topic_schema {
            // A field of the message must not take the place of the metadata.
            let own = table.columns.iter().filter(|column| !is_metadata(column)).cloned().collect();
            let shape = Shape::new(own)?;
            if let Some(schema) = &topic_schema {
                topic_schema::check(schema.fields(), &shape, config.drop_unknown_fields)?;
            }
            Source::Fields(shape, topic_schema)
        } else {
            let data = one_of(&whole, "data", &[Type::Bytes, Type::String, Type::Json])?.clone();
            let empty = |c: &&Column| c.must_be_given() && c.name != data.name && !is_metadata(c);
            if let Some(column) = whole.columns().iter().find(empty) {
                return Err(format!("column {} is REQUIRED and nothing is written to it", column.name));
            }
            Source::Data(data)
        };
        Ok(Plan { source, metadata, drop_unknown: config.drop_unknown_fields })
    }
}

impl Metadata {
    fn of(shape: &Shape) -> Result<Metadata, String> {
        let name = |name, kinds: &[Type]| one_of(shape, name, kinds).map(|column| column.name.clone());
        Ok(Metadata {
            subscription_name: name("subscription_name", &[Type::String])?,
            message_id: name("message_id", &[Type::String])?,
            publish_time: name("publish_time", &[Type::Timestamp])?,
            attributes: name("attributes", &[Type::Json, Type::String])?,
        })
    }

    fn has(&self, name: &str) -> bool {
        [&self.subscription_name, &self.message_id, &self.publish_time, &self.attributes].into_iter().any(|n| n == name)
    }
}

/// A column that must be there and of one of these types.
fn one_of<'a>(shape: &'a Shape, name: &str, kinds: &[Type]) -> Result<&'a Column, String> {
    let wanted = || kinds.iter().map(Type::name).collect::<Vec<_>>().join(" or ");
    match shape.column(name) {
        None => Err(format!("the table has no column {name} of type {}", wanted())),
        Some(column) if column.mode == Mode::Repeated => Err(format!("column {name} is REPEATED")),
        Some(column) if kinds.contains(&column.kind) => Ok(column),
        Some(column) => {
            Err(format!("Incompatible schema type for field {name}: expected {}, got {}", wanted(), column.kind.name()))
        }
    }
}
