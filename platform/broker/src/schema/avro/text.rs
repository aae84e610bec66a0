//! From a definition's text to its table of types.

use serde_json::Value;

use super::json;
use super::types::{MESSAGE, Type, Types};

/// Under this name a field's default passes through `apache_avro`, which would follow a default of a type that
/// contains itself until the stack ends. Defaults are checked here, once all types are known.
pub(super) const DEFAULT: &str = "\u{0}default";

/// Reads a definition. The depth of its JSON, and so of all that follows it, is limited to 128 by `serde_json`.
pub(super) fn parse(text: &str) -> Result<Types, String> {
    let mut json: Value = serde_json::from_str(text).map_err(|error| format!("the definition is not JSON: {error}"))?;
    hide_defaults(&mut json);
    let schema = apache_avro::Schema::parse(&json).map_err(|error| format!("the definition is not Avro: {error}"))?;
    let types = Types::of(&schema)?;
    if !matches!(types.get(MESSAGE), Type::Record(_)) {
        return Err("the type at the top of an Avro definition must be a record".to_owned());
    }
    check_defaults(&types)?;
    Ok(types)
}

/// Renames the default of every field, and of nothing else.
fn hide_defaults(schema: &mut Value) {
    match schema {
        Value::Array(union) => union.iter_mut().for_each(hide_defaults),
        Value::Object(object) => {
            for part in ["type", "items", "values"] {
                object.get_mut(part).map(hide_defaults);
            }
            let Some(Value::Array(fields)) = object.get_mut("fields") else { return };
            for field in fields {
                if let Value::Object(members) = field {
                    // A definition's own member of this name would be taken for a default.
                    members.remove(DEFAULT);
                    if let Some(default) = members.remove("default") {
                        members.insert(DEFAULT.to_owned(), default);
                    }
                }
                hide_defaults(field);
            }
        }
        _ => {}
    }
}

fn check_defaults(types: &Types) -> Result<(), String> {
    for of in types.all() {
        let Type::Record(record) = of else { continue };
        for field in &record.fields {
            if let Some(default) = &field.default {
                json::default(types, field.id, default)
                    .map_err(|why| format!("the default of field {} does not fit: {why}", field.name))?;
            }
        }
    }
    Ok(())
}
