//! Fields of schemas, and the columns that take them
//! (<https://cloud.google.com/pubsub/docs/bigquery#schema_compatibility>).

use crate::limits::{WAREHOUSE_COLUMNS, WAREHOUSE_NESTING};
use crate::warehouse::{Field, Type};

pub(super) const BOOLEAN: &[Type] = &[Type::Boolean];
pub(super) const BYTES: &[Type] = &[Type::Bytes];
pub(super) const DATE: &[Type] = &[Type::Date];
pub(super) const TIME: &[Type] = &[Type::Time];
pub(super) const TIMESTAMP: &[Type] = &[Type::Timestamp];
pub(super) const RECORD: &[Type] = &[Type::Record];
/// Of enums: their numbers, not their names.
pub(super) const ENUM: &[Type] = &[Type::Integer];
pub(super) const INTEGER: &[Type] = &[Type::Integer, Type::Numeric, Type::BigNumeric];
pub(super) const FLOAT: &[Type] = &[Type::Float, Type::Numeric, Type::BigNumeric];
pub(super) const NUMERIC: &[Type] = &[Type::Numeric, Type::BigNumeric];
pub(super) const STRING: &[Type] = &[
    Type::String,
    Type::Json,
    Type::Timestamp,
    Type::DateTime,
    Type::Date,
    Type::Time,
    Type::Numeric,
    Type::BigNumeric,
];

/// How many fields a schema may still have, and how deep it is in records.
pub(super) struct Room {
    fields_left: usize,
    depth: usize,
}

impl Room {
    pub(super) fn new() -> Room {
        Room { fields_left: WAREHOUSE_COLUMNS, depth: 0 }
    }

    /// The fields of a record. A type that contains itself ends here, too.
    pub(super) fn record(
        &mut self,
        name: &str,
        fields: impl FnOnce(&mut Room) -> Result<Vec<Field>, String>,
    ) -> Result<Vec<Field>, String> {
        // The outermost record is the row.
        if self.depth > WAREHOUSE_NESTING {
            return Err(format!("{name} contains itself or is nested more than {WAREHOUSE_NESTING} deep"));
        }
        self.depth += 1;
        let fields = fields(self)?;
        self.depth -= 1;
        if fields.is_empty() { Err(format!("{name} has no fields, and a RECORD column has some")) } else { Ok(fields) }
    }

    /// One more field.
    pub(super) fn take(&mut self) -> Result<(), String> {
        self.fields_left =
            self.fields_left.checked_sub(1).ok_or(format!("the schema has more than {WAREHOUSE_COLUMNS} fields"))?;
        Ok(())
    }
}

/// A double as JSON has it.
pub(super) fn float(float: f64) -> Result<serde_json::Value, String> {
    let number = serde_json::Number::from_f64(float);
    number.map(Into::into).ok_or("NaN and infinity are not implemented by this broker".to_owned())
}
