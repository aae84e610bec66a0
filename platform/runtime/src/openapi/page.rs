//! The document as a page for people: no scripts, nothing from elsewhere.

use std::fmt::Write;

use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
h2{margin-top:2.5rem;border-top:1px solid #ccc;padding-top:1rem;font-size:1.15rem}\
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f5f5f5;padding:.75rem;overflow:auto}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #eee}\
.method{display:inline-block;min-width:4rem;font-weight:600}details{margin:.25rem 0}";

/// Renders the page.
pub(super) fn render(document: &Value) -> String {
    let mut html = String::new();
    let title = text(&document["info"]["title"]);
    push(&mut html, &format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>"));
    push(&mut html, "<meta name=\"viewport\" content=\"width=device-width\">");
    push(&mut html, &format!("<style>{STYLE}</style><h1>{title}</h1>"));
    push(&mut html, &paragraphs(&document["info"]["description"]));
    push(&mut html, &paragraphs(&document["components"]["securitySchemes"]["token"]["description"]));
    push(&mut html, "<p>As a document: <a href=\"/openapi.json\"><code>/openapi.json</code></a>, OpenAPI 3.1.</p>");
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operation_section(&mut html, path, method, operation);
        }
    }
    push(&mut html, "<h2>Schemas</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let name = escape(name);
        push(
            &mut html,
            &format!("<details id=\"{name}\"><summary><code>{name}</code></summary>{}</details>", pre(schema)),
        );
    }
    html
}

fn operation_section(html: &mut String, path: &str, method: &str, operation: &Value) {
    let (method, path) = (escape(&method.to_uppercase()), escape(path));
    push(html, &format!("<h2><code><span class=\"method\">{method}</span>{path}</code></h2>"));
    push(html, &format!("<p>{}</p>{}", text(&operation["summary"]), paragraphs(&operation["description"])));
    let scopes: Vec<String> = operation["security"][0]["token"].as_array().into_iter().flatten().map(text).collect();
    let needs = match (operation["security"].as_array().is_some_and(Vec::is_empty), scopes.is_empty()) {
        (true, _) => "Needs no token.".to_owned(),
        (false, true) => "Needs a token.".to_owned(),
        (false, false) => format!("Needs a token with <code>{}</code>.", scopes.join(" ")),
    };
    push(html, &format!("<p>{needs}</p>"));
    if let Some(parameters) = operation["parameters"].as_array() {
        push(html, "<table><tr><th>parameter</th><th>in</th><th>what it is</th></tr>");
        for parameter in parameters {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let row = [&parameter["name"], &parameter["in"], &parameter["description"]].map(text);
            push(
                html,
                &format!("<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td></tr>", row[0], row[1], row[2]),
            );
        }
        push(html, "</table>");
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        push(html, &format!("<p>Takes {}</p>", schema_link(body)));
    }
    push(html, "<table><tr><th>answer</th><th>what it means</th><th>holds</th></tr>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let holds = answer["content"].as_object().and_then(|content| content.iter().next());
        let holds = holds.map(|(kind, content)| format!("{} {}", escape(kind), schema_link(&content["schema"])));
        let (status, description) = (escape(status), text(&answer["description"]));
        push(html, &format!("<tr><td>{status}</td><td>{description}</td><td>{}</td></tr>", holds.unwrap_or_default()));
    }
    push(html, "</table>");
}

/// A schema of its own is linked, another is shown.
fn schema_link(schema: &Value) -> String {
    match schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#{0}\"><code>{0}</code></a>", escape(name)),
        None if schema["type"] == "string" || schema == &serde_json::json!({}) => String::new(),
        None => pre(schema),
    }
}

fn pre(schema: &Value) -> String {
    let text = serde_json::to_string_pretty(schema).expect("a JSON value has a text");
    format!("<pre>{}</pre>", escape(&text))
}

fn paragraphs(value: &Value) -> String {
    let lines = text(value);
    lines.split('\n').filter(|line| !line.trim().is_empty()).map(|line| format!("<p>{line}</p>")).collect()
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}

fn push(html: &mut String, text: &str) {
    writeln!(html, "{text}").expect("a string takes what is written to it");
}

#[cfg(test)]
mod tests {
    use crate::openapi::{Api, Operation};

    #[test]
    fn the_page_shows_every_door_and_nothing_gets_out_of_its_text() {
        let hello = Operation::new("GET", "/hello/{name}", "Greets <b>somebody</b>").refuses(404, "nobody & nothing");
        let page = super::render(&Api::new("greeter", "Greets.").with(hello).document());
        assert!(page.contains("/hello/{name}") && page.contains("nobody &amp; nothing"), "{page}");
        assert!(page.contains("Greets &lt;b&gt;somebody") && !page.contains("<b>"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http"), "nothing from elsewhere: {page}");
    }
}
