//! The embedded warehouse of a shop on one machine: the table in which BigQuery's subscriptions keep every event, a row each.
//!
//! The rows are those that a BigQuery subscription of the cloud writes, in the folder's files of one JSON object a line.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use broker::warehouse::{Column, CreateTableError, Folder, Mode, TableName, Type, Warehouse};
use events::Timestamp;
use events::topology::RAW_TABLE;
use serde_json::Value;

use crate::stack::LOCAL_PROJECT;

/// The folder below a shop's data.
const FOLDER: &str = "warehouse-tables";
/// The dataset of the analysts.
const DATASET: &str = "analytics";

/// The table's full name.
#[must_use]
pub fn table() -> String {
    format!("{LOCAL_PROJECT}.{DATASET}.{RAW_TABLE}")
}

/// Opens the warehouse of a shop, and makes the table if it is not there.
///
/// # Errors
/// When the folder cannot be written or another process has it.
pub fn open(data: &Path) -> anyhow::Result<Arc<dyn Warehouse>> {
    let folder = data.join(FOLDER);
    let name: TableName = table().parse().context("the table's name")?;
    let failed = || format!("cannot open the warehouse in {}", folder.display());
    let warehouse = Folder::open(&folder).with_context(failed)?;
    match Folder::create_table(&folder, &name, &columns()) {
        Ok(()) | Err(CreateTableError::Exists) => Ok(Arc::new(warehouse)),
        Err(error) => Err(error).with_context(failed),
    }
}

/// Those of a BigQuery subscription with metadata and without a schema.
fn columns() -> [Column; 5] {
    [
        Column::new("subscription_name", Type::String, Mode::Nullable),
        Column::new("message_id", Type::String, Mode::Nullable),
        Column::new("publish_time", Type::Timestamp, Mode::Nullable),
        Column::new("data", Type::Json, Mode::Nullable),
        Column::new("attributes", Type::Json, Mode::Nullable),
    ]
}

/// Source and id of every event with a row published at or after `since`, each once; `None` where there is no such table.
///
/// # Errors
/// When a file cannot be read or a row is none.
pub fn events(data: &Path, since: Timestamp) -> anyhow::Result<Option<BTreeSet<(String, String)>>> {
    let folder = data.join(FOLDER).join(table());
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut found = BTreeSet::new();
    for path in files(&folder)? {
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            lines.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
            // The last line may be on its way to the file.
            if line.last() != Some(&b'\n') {
                break;
            }
            let event = event(&line, since).with_context(|| format!("{} holds a row that is none", path.display()))?;
            found.extend(event);
        }
    }
    Ok(Some(found))
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ndjson") {
            files.push(path);
        }
    }
    Ok(files)
}

fn event(line: &[u8], since: Timestamp) -> anyhow::Result<Option<(String, String)>> {
    let row: Value = serde_json::from_slice(line)?;
    let published: Timestamp = row["publish_time"].as_str().context("publish_time")?.parse()?;
    if published < since {
        return Ok(None);
    }
    let attributes: Value = serde_json::from_str(row["attributes"].as_str().context("attributes")?)?;
    let attribute = |name: &str| Some(attributes[name].as_str()?.to_owned());
    Ok(Some((attribute("ce-source").context("ce-source")?, attribute("ce-id").context("ce-id")?)))
}
