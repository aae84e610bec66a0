//! The event catalogue page (`schemas/README.md`), made from the table.

use std::fmt::Write as _;

use serde_json::Value;

use crate::topology::{EVENTS, SUBSCRIPTIONS, TYPE_PREFIX};
use crate::{personal, schema};

const HEAD: &str = "# Event catalogue

Everything that is said in this house, made from the one table in `events/src/topology.rs`: change that, not this page.
Every type below starts with `com.onlineboutique.`, travels as a CloudEvent in binary mode, and is heard at least once and in any order.

| type | topic | said by | heard by | meaning |
|---|---|---|---|---|
";

const SUBSCRIPTIONS_HEAD: &str = "
## Push subscriptions

What each lets through is below; every filter also keeps a replay from all consumers but the one it is meant for (`topology.json` has
the whole filters).

| subscription | lets through | dead letters |
|---|---|---|
";

const PERSONAL_HEAD: &str = "
## Personal data

Fields that have to do with a person, by their class (`x-personal` in the schemas; `docs/personal-data.md` is about the whole house): `sealed`
names a person and travels as the sealed id only; `free-text` is a sentence that should name nobody and is masked where it is shown; `coarse`
is true of a great many people, and stands beside a sealed id only.

| type | fields |
|---|---|
";

const TAIL: &str = "
## Beside this page

| file | what it is |
|---|---|
| `<subject>.<fact>.v<major>.json` | JSON Schema (draft 2020-12) of the payload; its `$id` is the event's `dataschema` |
| `topology.json` | topics, events, subscriptions, filters and limits, for the infrastructure and other programs |
| `asyncapi.json` | the same as an AsyncAPI 3.0 document |
| `samples/<type>/<n>.json` | messages as on the wire; more are added, none is ever edited |

`UPDATE_SCHEMAS=1 cargo test -p events --test generated` writes everything here but the samples anew.
";

/// The catalogue as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in EVENTS {
        let name = row.event_type.strip_prefix(TYPE_PREFIX).unwrap_or(row.event_type);
        let file = schema::file_name(row.event_type).unwrap_or_default();
        let (topic, said_by, heard_by) = (row.topic.name(), names(row.said_by), names(row.heard_by));
        line(&mut page, &[&format!("[`{name}`]({file})"), topic, &said_by, &heard_by, &meaning(&(row.schema)())]);
    }
    page.push_str(SUBSCRIPTIONS_HEAD);
    for row in SUBSCRIPTIONS {
        let lets_through =
            if row.lets_through.is_empty() { "everything".to_owned() } else { format!("`{}`", row.lets_through) };
        let dead_letters = crate::topology::dead_letters(row.consumer);
        line(&mut page, &[&format!("`{}`", row.name()), &lets_through, &format!("`{dead_letters}`")]);
    }
    page.push_str(PERSONAL_HEAD);
    for row in EVENTS {
        let fields = personal::fields(&(row.schema)());
        let words: Vec<String> = fields.iter().map(|(name, class)| format!("`{name}` {class}")).collect();
        if !words.is_empty() {
            let name = row.event_type.strip_prefix(TYPE_PREFIX).unwrap_or(row.event_type);
            line(&mut page, &[&format!("`{name}`"), &words.join(", ")]);
        }
    }
    page.push_str(TAIL);
    page
}

fn line(page: &mut String, cells: &[&str]) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn names(services: &[&str]) -> String {
    if services.is_empty() { "–".to_owned() } else { services.join(", ") }
}

/// The fact's own words about itself, on one line.
pub(crate) fn meaning(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
