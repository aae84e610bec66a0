//! Columns of tables, in BigQuery's `TableFieldSchema` form.

use serde::{Deserialize, Serialize};

/// A column, as `bq show --schema` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Upper and lower case are the same name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether it must be there, or how often.
    #[serde(default)]
    pub mode: Mode,
    /// The columns of a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Column>,
    /// Characters of a STRING, bytes of BYTES, at most.
    #[serde(default, with = "int64", skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Digits of a NUMERIC or BIGNUMERIC, at most.
    #[serde(default, with = "int64", skip_serializing_if = "Option::is_none")]
    pub precision: Option<u64>,
    /// Digits after the point of a NUMERIC or BIGNUMERIC that has a precision, at most.
    #[serde(default, with = "int64", skip_serializing_if = "Option::is_none")]
    pub scale: Option<u64>,
    /// What the warehouse fills in when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value_expression: Option<String>,
}

impl Column {
    /// A column without limits. A record's `fields` are to be set.
    pub fn new(name: &str, kind: Type, mode: Mode) -> Column {
        Column {
            name: name.to_owned(),
            kind,
            mode,
            fields: Vec::new(),
            max_length: None,
            precision: None,
            scale: None,
            default_value_expression: None,
        }
    }

    /// Whether a row without it is no row.
    pub(super) fn must_be_given(&self) -> bool {
        self.mode == Mode::Required && self.default_value_expression.is_none()
    }
}

/// Whether a column must be there, or how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// May be NULL.
    #[default]
    Nullable,
    /// Must not be NULL.
    Required,
    /// A list, perhaps empty.
    Repeated,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[allow(missing_docs, reason = "they are BigQuery's names")]
pub enum Type {
    String,
    Bytes,
    Integer,
    Float,
    Numeric,
    BigNumeric,
    Boolean,
    Timestamp,
    Date,
    Time,
    DateTime,
    Json,
    Geography,
    Record,
    /// One that the broker cannot write, such as INTERVAL and RANGE.
    Other(String),
}

impl Type {
    /// BigQuery's name.
    pub fn name(&self) -> &str {
        match self {
            Type::String => "STRING",
            Type::Bytes => "BYTES",
            Type::Integer => "INTEGER",
            Type::Float => "FLOAT",
            Type::Numeric => "NUMERIC",
            Type::BigNumeric => "BIGNUMERIC",
            Type::Boolean => "BOOLEAN",
            Type::Timestamp => "TIMESTAMP",
            Type::Date => "DATE",
            Type::Time => "TIME",
            Type::DateTime => "DATETIME",
            Type::Json => "JSON",
            Type::Geography => "GEOGRAPHY",
            Type::Record => "RECORD",
            Type::Other(name) => name,
        }
    }
}

impl From<String> for Type {
    fn from(name: String) -> Type {
        match name.to_ascii_uppercase().as_str() {
            "STRING" => Type::String,
            "BYTES" => Type::Bytes,
            "INTEGER" | "INT64" => Type::Integer,
            "FLOAT" | "FLOAT64" => Type::Float,
            "NUMERIC" => Type::Numeric,
            "BIGNUMERIC" => Type::BigNumeric,
            "BOOLEAN" | "BOOL" => Type::Boolean,
            "TIMESTAMP" => Type::Timestamp,
            "DATE" => Type::Date,
            "TIME" => Type::Time,
            "DATETIME" => Type::DateTime,
            "JSON" => Type::Json,
            "GEOGRAPHY" => Type::Geography,
            "RECORD" | "STRUCT" => Type::Record,
            _ => Type::Other(name),
        }
    }
}

impl From<Type> for String {
    fn from(kind: Type) -> String {
        kind.name().to_owned()
    }
}

/// An int64 as ProtoJSON writes it: a string; numbers are read, too.
mod int64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(match Option::<Either>::deserialize(deserializer)? {
            None => None,
            Some(Either::Number(number)) => Some(number),
            Some(Either::Text(text)) => Some(text.parse().map_err(D::Error::custom)?),
        })
    }

    #[allow(clippy::ref_option, reason = "serde's form")]
    pub(super) fn serialize<S: Serializer>(number: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => serializer.collect_str(number),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_read_in_both_spellings_of_types_and_written_in_one() {
        let read: Vec<Column> = serde_json::from_value(json!([
            {"name": "id", "type": "INT64", "mode": "REQUIRED", "description": "not looked at"},
            {"name": "name", "type": "string", "maxLength": "10"},
            {"name": "price", "type": "NUMERIC", "precision": "10", "scale": 2},
            {"name": "items", "type": "STRUCT", "mode": "REPEATED", "fields": [{"name": "sku", "type": "STRING"}]},
            {"name": "open", "type": "RANGE"},
        ]))
        .unwrap();
        assert_eq!((&read[0].kind, read[0].mode), (&Type::Integer, Mode::Required));
        assert_eq!(read[1].max_length, Some(10));
        assert_eq!((read[2].precision, read[2].scale), (Some(10), Some(2)));
        assert_eq!(read[3].fields[0].name, "sku");
        assert_eq!(read[4].kind, Type::Other("RANGE".to_owned()));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(written[0], json!({"name": "id", "type": "INTEGER", "mode": "REQUIRED"}));
        assert_eq!(written[2]["scale"], "2");
        assert_eq!(serde_json::from_value::<Vec<Column>>(written).unwrap(), read);
    }
}
