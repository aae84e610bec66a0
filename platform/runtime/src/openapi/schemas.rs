//! The schemas of a document. A type that is both read and written may have two: what may be left out when it is read is there when it is
//! written, and the other way round.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use super::bounds;

/// Where a document keeps them.
const PLACE: &str = "/components/schemas";
/// What the name of a type that is read ends with where it differs from the same type written.
const READ: &str = "Asked";

/// Schemas of what is read and of what is written.
pub(super) struct Schemas {
    /// Of requests.
    pub(super) taken: SchemaGenerator,
    /// Of answers.
    pub(super) given: SchemaGenerator,
}

impl Schemas {
    /// None yet.
    pub(super) fn new() -> Self {
        let generator = |contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = PLACE.into();
                settings.contract = contract;
            });
            settings.with_transform(RecursiveTransform(bounds::of_integers)).into_generator()
        };
        Self { taken: generator(Contract::Deserialize), given: generator(Contract::Serialize) }
    }

    /// All of them by name; what in `paths` refers to one that had to be renamed is mended.
    pub(super) fn into_components(mut self, paths: &mut Value) -> Value {
        let mut taken = self.taken.take_definitions(true);
        let mut given = self.given.take_definitions(true);
        let renamed = differing(&taken, &given);
        taken.values_mut().for_each(|schema| rename(schema, &renamed));
        bodies(paths).for_each(|body| rename(body, &renamed));
        for (name, schema) in taken {
            let name = if renamed.contains(&name) { format!("{name}{READ}") } else { name };
            given.insert(name, schema);
        }
        given.into()
    }
}

/// Names that mean something else in requests than in answers, by themselves or by what they refer to.
fn differing(taken: &Map<String, Value>, given: &Map<String, Value>) -> BTreeSet<String> {
    let differs = |(name, schema): &(&String, &Value)| given.get(*name).is_some_and(|other| other != *schema);
    let mut found: BTreeSet<String> = taken.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    // Each round finds one more or is the last.
    for _ in 0..taken.len() {
        let leads = |(name, schema): &(&String, &Value)| !found.contains(*name) && refers_to_any(schema, &found);
        let more: Vec<String> = taken.iter().filter(leads).map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found
}

fn refers_to_any(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(object) => {
            named(object.get("$ref")).is_some_and(|name| names.contains(name))
                || object.values().any(|value| refers_to_any(value, names))
        }
        Value::Array(array) => array.iter().any(|value| refers_to_any(value, names)),
        _ => false,
    }
}

fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(name) = named(object.get("$ref")).filter(|name| names.contains(*name)) {
                let renamed = format!("#{PLACE}/{name}{READ}");
                object.insert("$ref".to_owned(), renamed.into());
            }
            object.values_mut().for_each(|value| rename(value, names));
        }
        Value::Array(array) => array.iter_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

/// The name a reference leads to.
fn named(reference: Option<&Value>) -> Option<&str> {
    reference?.as_str()?.strip_prefix('#')?.strip_prefix(PLACE)?.strip_prefix('/')
}

fn bodies(paths: &mut Value) -> impl Iterator<Item = &mut Value> {
    let methods = paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let doors = methods.filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut());
    doors.filter_map(|door| door.get_mut("requestBody"))
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use crate::openapi::{Api, Operation};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Basket {
        line: Line,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Line {
        #[serde(default)]
        count: u32,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Note {
        text: String,
    }

    #[test]
    fn what_is_read_and_written_differently_has_two_schemas_and_so_has_what_leads_to_it() {
        let change = Operation::new("PUT", "/basket", "Changes it").takes::<Basket>().gives::<Basket>(200, "so it is");
        let document = Api::new("shop", "").with(change).document();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Line"]["required"], serde_json::json!(["count"]));
        assert_eq!(schemas["LineAsked"]["required"], serde_json::json!(["notes"]));
        assert_eq!(schemas["BasketAsked"]["properties"]["line"]["$ref"], "#/components/schemas/LineAsked");
        assert_eq!(schemas["Basket"]["properties"]["line"]["$ref"], "#/components/schemas/Line");
        assert!(schemas.get("NoteAsked").is_none(), "a note is the same both ways");
        let put = &document["paths"]["/basket"]["put"];
        let taken = &put["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let given = &put["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!((taken, given), (&"#/components/schemas/BasketAsked".into(), &"#/components/schemas/Basket".into()));
    }
}
