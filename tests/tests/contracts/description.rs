//! A service's own description, `GET /openapi.json`, and whether its answers keep to it.

use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::client::Answer;

/// An OpenAPI document.
pub struct Description(pub Value);

impl Description {
    /// Looks whether an answer is one of those described for its door: status, media type and body.
    ///
    /// # Panics
    /// When it is not.
    pub fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let Some((template, door)) = self.door(method, path) else {
            assert!([400, 404, 405].contains(&answer.status), "{method} {path} is not described: {answer:?}");
            return;
        };
        let what = format!("{method} {template} {}", answer.status);
        let described = &door["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{what} is not described: {}", answer.body);
        // A caller who is turned away is told by the client, not by the wire.
        if matches!(answer.status, 401 | 403) {
            return;
        }
        let Some(content) = described["content"].as_object() else {
            assert!(answer.body.is_null(), "{what} has no body: {}", answer.body);
            return;
        };
        let kind = answer.headers[CONTENT_TYPE].to_str().expect("a text");
        assert!(content.contains_key(kind), "{what} is {kind}, not {:?}", content.keys());
        let schema = json!({ "allOf": [content[kind]["schema"]], "components": self.0["components"] });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        let faults: Vec<String> =
            validator.iter_errors(&answer.body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{what} is not as described: {faults:?} in {}", answer.body);
    }

    /// The door that a path leads to: one without parameters before one with.
    fn door(&self, method: &Method, path: &str) -> Option<(&str, &Value)> {
        let asked: Vec<&str> = path.split('?').next()?.split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == asked.len()
                && parts.iter().zip(&asked).all(|(part, word)| part == word || part.starts_with('{'))
        };
        let paths = self.0["paths"].as_object()?;
        let found = paths
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count());
        let (template, methods) = found?;
        let door = methods.get(method.as_str().to_lowercase())?;
        Some((template, door))
    }
}
