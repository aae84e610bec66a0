//! The files in `schemas/` that are made from the types and the table. A test holds them up to date.

use serde_json::Value;

use crate::topology::EVENTS;
use crate::{asyncapi, catalogue, schema, states, topology};

/// Every generated file: its name below `schemas/` and its whole text. The same on every run and machine.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        EVENTS.iter().filter_map(|row| Some((schema::file_name(row.event_type)?, text((row.schema)())))).collect();
    files.push(("topology.json".to_owned(), text(topology::document())));
    files.push(("asyncapi.json".to_owned(), text(asyncapi::document())));
    files.push(("README.md".to_owned(), catalogue::page()));
    files.push(("states.md".to_owned(), states::page::page()));
    files
}

/// JSON for people: indented, members in alphabetical order whatever features serde_json was built with.
fn text(mut value: Value) -> String {
    value.sort_all_objects();
    format!("{value:#}\n")
}
