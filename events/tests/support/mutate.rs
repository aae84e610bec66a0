//! Payloads that a schema forbids, made from one that it allows.

use serde_json::{Value, json};

/// A payload that breaks one rule of its schema.
pub struct Mutation {
    /// What was broken, as in `/lines/0/quantity below 1`.
    pub what: String,
    /// The broken payload.
    pub data: Value,
}

/// One mutation for every rule `schema` states about `sample`: required members, types, bounds, words, patterns, counts.
pub fn mutations(schema: &Value, sample: &Value) -> Vec<Mutation> {
    let mut walk = Walk { root: schema, sample, found: Vec::new() };
    walk.visit(schema, "");
    walk.found
}

struct Walk<'a> {
    root: &'a Value,
    sample: &'a Value,
    found: Vec<Mutation>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, node: &'a Value, at: &str) {
        let value = self.sample.pointer(at).expect("the walk follows the sample");
        if let Some(target) = node["$ref"].as_str() {
            let target = self.root.pointer(target.trim_start_matches('#')).expect("a reference leads somewhere");
            if let Some(allowed) = node["enum"].as_array() {
                self.words_left_out(target, allowed, at);
            }
            self.visit(target, at);
        }
        if node.get("enum").is_some() || node.get("oneOf").is_some() {
            self.put(at, json!("no_such_word"), "no such word");
        }
        match node["type"].as_str() {
            Some("object") => self.object(node, value, at),
            Some("array") => self.array(node, value, at),
            Some("integer") => self.integer(node, at),
            Some("string") => self.string(node, at),
            _ => {}
        }
    }

    fn object(&mut self, node: &'a Value, value: &Value, at: &str) {
        self.wrong_types(at, &[json!("text"), json!([]), json!(7)]);
        for name in node["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut data = self.sample.clone();
            let object = data.pointer_mut(at).and_then(Value::as_object_mut).expect("the sample has the schema's form");
            object.remove(name).expect("a sample has what is required");
            self.found.push(Mutation { what: format!("{at}/{name} missing"), data });
        }
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            if value.get(name).is_some() {
                self.visit(property, &format!("{at}/{name}"));
            }
        }
    }

    fn array(&mut self, node: &'a Value, value: &Value, at: &str) {
        self.wrong_types(at, &[json!("text"), json!({}), json!(7)]);
        let items = value.as_array().expect("the sample has the schema's form");
        if node["minItems"] == 1 {
            self.put(at, json!([]), "empty");
        }
        if let (Some(most), Some(item)) = (node["maxItems"].as_u64(), items.first()) {
            self.put(at, Value::Array((0..=most).map(|_| item.clone()).collect()), "too many");
        }
        for index in 0..items.len() {
            self.visit(&node["items"], &format!("{at}/{index}"));
        }
    }

    fn integer(&mut self, node: &Value, at: &str) {
        self.wrong_types(at, &[json!("7"), json!({}), json!([]), json!(1.5), json!(true)]);
        if let Some(least) = node["minimum"].as_i64() {
            self.put(at, json!(least - 1), "below its minimum");
        }
        if let Some(most) = node["maximum"].as_i64() {
            self.put(at, json!(most + 1), "above its maximum");
        }
    }

    fn string(&mut self, node: &Value, at: &str) {
        self.wrong_types(at, &[json!(7), json!({}), json!([]), json!(false)]);
        if node.get("pattern").is_some() {
            self.put(at, json!(""), "empty");
            self.put(at, json!("§ not at all §"), "against its pattern");
            self.put(at, json!("x".repeat(65)), "too long");
        }
        if node["format"] == "date-time" {
            self.put(at, json!("yesterday"), "no time");
            self.put(at, json!("2026-02-30T00:00:00Z"), "no day of any calendar");
        }
    }

    /// Words that the type has and this place does not allow.
    fn words_left_out(&mut self, target: &Value, allowed: &[Value], at: &str) {
        let words = target["oneOf"].as_array().into_iter().flatten().map(|word| &word["const"]);
        for word in words.filter(|word| !allowed.contains(word)) {
            self.put(at, word.clone(), &format!("is {word}"));
        }
    }

    fn wrong_types(&mut self, at: &str, wrong: &[Value]) {
        for value in wrong.iter().chain([&Value::Null]) {
            self.put(at, value.clone(), &format!("is {value}"));
        }
    }

    fn put(&mut self, at: &str, wrong: Value, what: &str) {
        let mut data = self.sample.clone();
        *data.pointer_mut(at).expect("the walk follows the sample") = wrong;
        self.found.push(Mutation { what: format!("{at} {what}"), data });
    }
}
