//! What an integer's type holds, as bounds: a format alone tells a validator nothing.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Adds the bounds of its format to an integer that has none of its own.
pub(super) fn of_integers(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        bound(object);
    }
}

fn bound(schema: &mut Map<String, Value>) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        Some("uint16") => (json!(0), json!(u16::MAX)),
        Some("uint32") => (json!(0), json!(u32::MAX)),
        Some("uint" | "uint64") => (json!(0), json!(u64::MAX)),
        _ => return,
    };
    schema.entry("minimum").or_insert(least);
    schema.entry("maximum").or_insert(most);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_the_bounds_of_its_type_unless_it_has_its_own() {
        let bounded = |schema: Value| {
            let mut schema = Schema::try_from(schema).unwrap();
            of_integers(&mut schema);
            Value::from(schema)
        };
        let small = bounded(json!({ "type": "integer", "format": "uint32", "minimum": 1 }));
        assert_eq!(small, json!({ "type": "integer", "format": "uint32", "minimum": 1, "maximum": u32::MAX }));
        assert_eq!(bounded(json!({ "type": "integer", "format": "int64" }))["minimum"], i64::MIN);
        assert_eq!(bounded(json!({ "type": "number", "format": "double" })).get("maximum"), None);
    }
}
