//! Messages in Avro's JSON encoding
//! (<https://avro.apache.org/docs/1.11.1/specification/#json-encoding>), and the defaults of fields, which are nearly that.

use serde_json::{Map, Value};

use super::types::{Field, Id, MESSAGE, Record, Type, Types, Union};

/// Checks a message.
pub(super) fn message(types: &Types, value: &Value) -> Result<(), String> {
    Check { types, is_default: false }.value(MESSAGE, value)
}

/// Checks a field's default: a union's is of its first type and bare, a record's may leave out what has a default.
pub(super) fn default(types: &Types, id: Id, value: &Value) -> Result<(), String> {
    Check { types, is_default: true }.value(id, value)
}

struct Check<'a> {
    types: &'a Types,
    is_default: bool,
}

impl Check<'_> {
    /// Goes as deep as the JSON, whose depth is limited where it was parsed.
    fn value(&self, id: Id, value: &Value) -> Result<(), String> {
        let fits = match (self.types.get(id), value) {
            (Type::Null, Value::Null) | (Type::Boolean, Value::Bool(_)) | (Type::String, Value::String(_)) => true,
            (Type::Int, Value::Number(number)) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            (Type::Long, Value::Number(number)) => number.as_i64().is_some(),
            (Type::Float | Type::Double, Value::Number(_)) => true,
            (Type::Bytes, Value::String(text)) => text.chars().all(is_byte),
            (Type::Fixed { size, .. }, Value::String(text)) => {
                text.chars().all(is_byte) && text.chars().count() == *size
            }
            (Type::Enum { symbols, .. }, Value::String(symbol)) => symbols.contains_key(symbol),
            (Type::Array(of), Value::Array(items)) => return items.iter().try_for_each(|item| self.value(*of, item)),
            (Type::Map(of), Value::Object(items)) => return items.values().try_for_each(|item| self.value(*of, item)),
            (Type::Record(record), Value::Object(members)) => return self.record(record, members),
            (Type::Union(union), value) => return self.union(id, union, value),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.mismatch(id, value)) }
    }

    fn record(&self, record: &Record, members: &Map<String, Value>) -> Result<(), String> {
        let mut found = 0;
        for Field { name, id, default, .. } in &record.fields {
            match members.get(name) {
                Some(value) => {
                    found += 1;
                    self.value(*id, value).map_err(|why| format!("{name}: {why}"))?;
                }
                None if self.is_default && default.is_some() => {}
                None => return Err(format!("field {name} of {} is missing", record.name.full)),
            }
        }
        if found < members.len() {
            let known = |name: &String| record.fields.iter().any(|field| field.name == *name);
            let foreign = members.keys().find(|name| !known(name)).map_or("", String::as_str);
            return Err(format!("{} has no field {foreign}", record.name.full));
        }
        Ok(())
    }

    /// Null is bare; any other value stands in an object under the name of its type.
    fn union(&self, id: Id, union: &Union, value: &Value) -> Result<(), String> {
        if self.is_default {
            return union.branches.first().map_or(Ok(()), |first| self.value(*first, value));
        }
        match value {
            Value::Null if union.by_name.contains_key("null") => Ok(()),
            Value::Object(members) if members.len() == 1 => {
                let (name, value) = members.iter().next().expect("there is one member");
                match union.by_name.get(name).filter(|_| name != "null") {
                    Some(branch) => self.value(*branch, value),
                    None => Err(format!("the union has no type {name}")),
                }
            }
            _ => Err(self.mismatch(id, value)),
        }
    }

    fn mismatch(&self, id: Id, value: &Value) -> String {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        match self.types.get(id) {
            Type::Union(_) => format!("{found} is no value of a union: null is bare, others are {{\"type\": value}}"),
            _ => format!("{found} does not fit type {}", self.types.name(id)),
        }
    }
}

fn is_byte(c: char) -> bool {
    u32::from(c) <= 0xff
}
