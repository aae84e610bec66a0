//! The document from the description.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};

use super::operation::{Answer, Body, Content, Header, Needs, Operation, SchemaOf};
use super::schemas::Schemas;
use super::{Api, DOCUMENT, PAGE, bounds};
use crate::problem::Problem;

/// The name under which the token is described.
const TOKEN: &str = "token";
/// Media type of problems (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";
/// What a path's parameter looks like: an id.
const ID_PATTERN: &str = "^[A-Za-z0-9._-]{1,64}$";

pub(super) fn render(api: &Api) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &api.operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = described(operation, &mut schemas);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": api.description,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "securitySchemes": { TOKEN: token(api) } },
        "externalDocs": { "url": PAGE, "description": format!("{DOCUMENT} for people") },
    });
    document["components"]["schemas"] = schemas.into_components(&mut document["paths"]);
    document
}

/// The scopes are those of a JWT; OpenAPI has them in requirements of any scheme since 3.1.
fn token(api: &Api) -> Value {
    let scopes: String = api.scopes.iter().map(|(name, meaning)| format!("\n- `{name}`: {meaning}")).collect();
    let description = if scopes.is_empty() { String::new() } else { format!("Scopes:{scopes}") };
    json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description })
}

fn described(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = Map::new();
    described.insert("summary".into(), operation.summary.clone().into());
    if !operation.details.is_empty() {
        described.insert("description".into(), operation.details.clone().into());
    }
    described.insert("operationId".into(), operation_id(operation).into());
    described.insert("security".into(), security(&operation.needs));
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        described.insert("parameters".into(), parameters.into());
    }
    if let Some(Body { schema, required }) = &operation.body {
        let schema = schema(&mut schemas.taken);
        let body = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
        described.insert("requestBody".into(), body);
    }
    let mut answers: Map<String, Value> = Map::new();
    for answer in &operation.answers {
        let rendered = answered(answer, &mut schemas.given);
        // A status may have several reasons: one entry, with all of them.
        if let Some(Value::String(said)) =
            answers.get_mut(&answer.status.to_string()).and_then(|a| a.get_mut("description"))
        {
            said.push_str("; ");
            said.push_str(answer.description);
        } else {
            answers.insert(answer.status.to_string(), rendered);
        }
    }
    described.insert("responses".into(), answers.into());
    described.into()
}

/// `get_orders_orderId`: the same for as long as method and path are.
fn operation_id(operation: &Operation) -> String {
    let path: String = operation.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<&str> = path.split_whitespace().collect();
    format!("{}_{}", operation.method.to_lowercase(), words.join("_"))
}

fn security(needs: &Needs) -> Value {
    match needs {
        Needs::Nothing => json!([]),
        Needs::Token => json!([{ TOKEN: [] }]),
        Needs::Scopes(scopes) => json!([{ TOKEN: scopes }]),
    }
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| {
        let schema = operation.in_path.map_or_else(|| json!({ "type": "string", "pattern": ID_PATTERN }), by_itself);
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_query = operation.queries.iter().flat_map(|query| fields(*query));
    let in_header = operation.headers.iter().map(|Header { name, description, required, pattern }| {
        let mut schema = json!({ "type": "string" });
        if let Some(pattern) = pattern {
            schema["pattern"] = json!(pattern);
        }
        json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema })
    });
    in_path.chain(in_query).chain(in_header).collect()
}

/// A schema that needs no other.
fn by_itself(schema: SchemaOf) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = schema(&mut settings.into_generator());
    RecursiveTransform(bounds::of_integers).transform(&mut schema);
    schema.into()
}

/// The fields of a type as query parameters. They hold their schemas themselves.
fn fields(schema: SchemaOf) -> Vec<Value> {
    let schema = by_itself(schema);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        not_null(&mut schema);
        let mut parameter =
            json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    properties.map(parameter).collect()
}

/// What is optional in a query is left out; there is no null.
fn not_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(kinds)) = object.get("anyOf") {
        let kinds: Vec<Value> = kinds.iter().filter(|kind| kind["type"] != "null").cloned().collect();
        if let [only] = kinds.as_slice() {
            *schema = only.clone();
        }
    }
}

fn answered(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let (media_type, schema) = match answer.content {
        Content::Nothing => return json!({ "description": answer.description }),
        Content::Json(schema) => ("application/json", schema(generator).into()),
        Content::Problem => (PROBLEM_JSON, generator.subschema_for::<Problem>().into()),
        // What a stream's schema is of, the stream or each event, is not agreed upon.
        Content::Other("text/event-stream") => ("text/event-stream", json!({})),
        Content::Other(media_type) => (media_type, json!({ "type": "string" })),
    };
    let mut answered = json!({ "description": answer.description, "content": { media_type: { "schema": schema } } });
    if matches!(answer.status, 429 | 503) {
        answered["headers"] = json!({ "Retry-After":
            { "description": "Seconds to wait", "schema": { "type": "integer", "minimum": 1 } } });
    }
    answered
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    /// A page.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Query {
        /// How many.
        limit: Option<u32>,
        word: String,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Thing {
        part: Part,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Part {
        name: String,
    }

    fn api() -> Value {
        let show = Operation::new("GET", "/things/{thingId}", "Shows a thing")
            .query::<Query>()
            .header("If-Match", false, "its version")
            .gives::<Thing>(200, "the thing")
            .refuses(404, "no such thing")
            .refuses(404, "no longer");
        let make = Operation::new("POST", "/things", "Makes a thing")
            .needs(Needs::Scopes(vec!["things:write"]))
            .takes::<Thing>()
            .gives_nothing(204, "made");
        Api::new("things", "Things.").scopes([("things:write", "make things")]).with(show).with(make).document()
    }

    #[test]
    fn a_door_says_what_it_takes_what_it_answers_and_who_may_come() {
        let api = api();
        let show = &api["paths"]["/things/{thingId}"]["get"];
        assert_eq!(show["operationId"], "get_things_thingId");
        let names: Vec<String> = show["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {} {}", one["in"], one["name"], one["required"]).replace('"', ""))
            .collect();
        assert_eq!(names, ["path thingId true", "query limit false", "query word true", "header If-Match false"]);
        assert_eq!(show["parameters"][1]["schema"]["type"], "integer");
        assert_eq!(show["parameters"][1]["description"], "How many.");
        let answer = &show["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(answer["$ref"], "#/components/schemas/Thing");
        assert_eq!(show["responses"]["404"]["description"], "no such thing; no longer");
        let problem = &show["responses"]["404"]["content"]["application/problem+json"]["schema"];
        assert_eq!(problem["$ref"], "#/components/schemas/Problem");
        assert_eq!(api["paths"]["/things"]["post"]["security"], json!([{ "token": ["things:write"] }]));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                    object.values().for_each(|value| references(value, found));
                }
                Value::Array(array) => array.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let api = api();
        let mut found = Vec::new();
        references(&api, &mut found);
        assert!(found.len() >= 4, "{found:?}");
        for reference in found {
            assert!(api.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
