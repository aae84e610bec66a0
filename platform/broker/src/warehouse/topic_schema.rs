//! What `use_topic_schema` needs of the schemas of topics.

use serde_json::{Map, Value};

use super::column::{Column, Mode, Type};
use super::shape::Shape;

/// Reads messages by the schema of their topic.
pub(crate) trait TopicSchema: Send + Sync {
    /// The schema's fields, of its outermost record or message.
    fn fields(&self) -> &[Field];

    /// The fields of a message, in the forms that columns take from JSON: NUMERIC, BYTES (base64) and times as strings, a 64-bit
    /// integer as a number, a JSON column's text as a string. `revision` is the one that the message was stamped with, if any.
    ///
    /// # Errors
    /// Why the message is not of the schema.
    fn read(&self, data: &[u8], revision: Option<&str>) -> Result<Map<String, Value>, String>;
}

/// A field of a schema, with the columns that take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// What a column may hold. None for a field that is always null.
    pub(crate) types: &'static [Type],
    /// REQUIRED says that it fits such a column, not that messages always have it.
    pub(crate) mode: Mode,
    /// Of a record.
    pub(crate) fields: Vec<Field>,
}

/// Checks that a table takes the fields of a schema, as the service does when a subscription is created.
pub(super) fn check(fields: &[Field], shape: &Shape, drop_unknown: bool) -> Result<(), String> {
    for field in fields {
        let name = &field.name;
        let Some(column) = shape.column(name) else {
            if drop_unknown {
                continue;
            }
            return Err(format!("the table has no column for the topic schema's field {name}"));
        };
        check_mode(field, column)?;
        if !field.types.is_empty() && !field.types.contains(&column.kind) {
            let wanted: Vec<_> = field.types.iter().map(Type::name).collect();
            let (wanted, got) = (wanted.join(" or "), column.kind.name());
            return Err(format!("Incompatible schema type for field {name}: expected {wanted}, got {got}"));
        }
        if let (false, Some(inner)) = (field.fields.is_empty(), shape.inner(name)) {
            check(&field.fields, inner, drop_unknown).map_err(|why| format!("in {name}: {why}"))?;
        }
    }
    let has = |column: &Column| fields.iter().any(|field| field.name.eq_ignore_ascii_case(&column.name));
    match shape.columns().iter().find(|column| column.must_be_given() && !has(column)) {
        Some(column) => Err(format!("column {} is REQUIRED, and the topic schema has no such field", column.name)),
        None => Ok(()),
    }
}

fn check_mode(field: &Field, column: &Column) -> Result<(), String> {
    let fits = match field.mode {
        Mode::Repeated => column.mode == Mode::Repeated,
        Mode::Required => column.mode != Mode::Repeated,
        Mode::Nullable => column.mode == Mode::Nullable,
    };
    let wanted = match field.mode {
        Mode::Repeated => "REPEATED",
        Mode::Required => "NULLABLE or REQUIRED",
        Mode::Nullable => "NULLABLE",
    };
    if fits { Ok(()) } else { Err(format!("Incompatible schema mode for field {}: expected {wanted}", field.name)) }
}
