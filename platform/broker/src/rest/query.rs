//! The query of a request: parameters that fill fields, and those of Google's APIs as a whole.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use serde_json::json;

use super::{json, path};
use crate::error::Refusal;

/// Parameters of the system, not of a method, besides those that begin with `$`. They are passed over: none of them
/// changes what is done.
const SYSTEM: [&str; 12] = [
    "access_token",
    "bearer_token",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "pp",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userIp",
];

/// A query, taken apart.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Whether enums are answered as numbers, as the official clients ask for (`$alt=json;enum-encoding=int`).
    pub(super) enums_as_numbers: bool,
    fields: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(query: &str) -> Result<Query, Refusal> {
        let mut parsed = Query::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| path::decode(&text.replace('+', " "));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(Refusal::invalid(format!("the query parameter {pair} is not percent-encoded UTF-8")));
            };
            match name.as_str() {
                "alt" | "$alt" => parsed.enums_as_numbers = enums_as_numbers(&value)?,
                system if system.starts_with('$') || SYSTEM.contains(&system) => {}
                _ => parsed.fields.push((name, value)),
            }
        }
        Ok(parsed)
    }

    /// Sets the fields of a request that its body did not. `body` is the field that is the body's alone.
    pub(super) fn fill(&self, request: &mut DynamicMessage, body: Option<&str>) -> Result<(), Refusal> {
        for (name, text) in &self.fields {
            let outer = name.split('.').next().unwrap_or(name);
            if body.is_some_and(|body| field(request, outer).is_some_and(|field| field.name() == body)) {
                return Err(Refusal::invalid(format!("{outer} is given in the body, not in the query")));
            }
            set(request, name, name, text)?;
        }
        Ok(())
    }
}

/// What form the answer takes.
fn enums_as_numbers(alt: &str) -> Result<bool, Refusal> {
    let (form, rest) = alt.split_once(';').unwrap_or((alt, ""));
    match form {
        "json" | "" => Ok(rest == "enum-encoding=int"),
        _ => Err(Refusal::unimplemented(&format!("An answer as alt={form}"))),
    }
}

/// A field by either of its names.
fn field(message: &DynamicMessage, name: &str) -> Option<FieldDescriptor> {
    let message = message.descriptor();
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Sets the field at `path`, below `message`; `name` is the parameter's whole name.
fn set(message: &mut DynamicMessage, path: &str, name: &str, text: &str) -> Result<(), Refusal> {
    let (outer, inner) = path.split_once('.').map_or((path, None), |(outer, inner)| (outer, Some(inner)));
    let unknown = || {
        Refusal::invalid(format!(
            "Invalid query. Unknown name \"{name}\": Cannot bind query parameter. Field '{outer}' could not be found \
             in request message."
        ))
    };
    let field = field(message, outer).ok_or_else(unknown)?;
    if let Some(inner) = inner {
        if field.is_list() || field.is_map() {
            return Err(unknown());
        }
        let message = message.get_field_mut(&field).as_message_mut().ok_or_else(unknown)?;
        return set(message, inner, name, text);
    }
    if text.is_empty() {
        return Ok(());
    }
    let value = read(&field, name, text)?;
    match (message.has_field(&field), value) {
        (true, Value::List(more)) => {
            if let Some(list) = message.get_field_mut(&field).as_list_mut() {
                list.extend(more);
            }
        }
        (true, _) => return Err(Refusal::invalid(format!("{name} is given twice"))),
        (false, value) => message.set_field(&field, value),
    }
    Ok(())
}

/// A field's value from a text, by the rules for JSON. Booleans and numbers need no quotes there.
fn read(field: &FieldDescriptor, name: &str, text: &str) -> Result<Value, Refusal> {
    let bad = |why: &str| Refusal::invalid(format!("{name} is not as it should be: {why}"));
    let value = match field.kind() {
        Kind::Bool => json!(text.parse::<bool>().map_err(|e| bad(&e.to_string()))?),
        Kind::Enum(_) => text.parse::<i32>().map_or_else(|_| json!(text), |number| json!(number)),
        _ => json!(text),
    };
    let value = if field.is_list() { json!([value]) } else { value };
    let parent = field.parent_message().clone();
    let set = json::from_value(parent, json!({ field.json_name(): value })).map_err(|e| bad(&e))?;
    Ok(set.get_field(field).into_owned())
}
