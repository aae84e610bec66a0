//! A table's `schema.json`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::trouble;
use crate::limits::WAREHOUSE_SCHEMA_BYTES;
use crate::warehouse::column::Column;
use crate::warehouse::door::{Table, Trouble};
use crate::warehouse::shape::Shape;

/// Its name.
pub(super) const FILE: &str = "schema.json";

/// A schema that was read, and how to see that it changed.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) table: Arc<Table>,
    changed: Option<SystemTime>,
    bytes: u64,
}

/// Why a table was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTableError {
    /// There is a table of this name. Nothing was changed.
    #[error("the table is there already")]
    Exists,
    /// These columns make no table here.
    #[error("{0}")]
    Columns(String),
    /// The folder cannot be written.
    #[error("the table cannot be written")]
    Io(#[from] io::Error),
}

/// Makes a table's folder and schema.
pub(super) fn create(path: &Path, columns: &[Column]) -> Result<(), CreateTableError> {
    check(columns).map_err(CreateTableError::Columns)?;
    let text = serde_json::to_vec_pretty(columns).map_err(io::Error::other)?;
    fs::create_dir_all(path)?;
    let (schema, new) = (path.join(FILE), path.join("schema.json.new"));
    let mut file = File::create(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    // Unlike a rename, a link never takes the place of another's schema.
    let linked = fs::hard_link(&new, &schema);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CreateTableError::Exists),
        linked => Ok(linked.and_then(|()| File::open(path)?.sync_all())?),
    }
}

/// The schema of a table; `known` if it is still that.
pub(super) fn read(path: &Path, known: Option<Known>) -> Result<Known, Trouble> {
    let mut file = File::open(path.join(FILE)).map_err(|error| trouble(&error))?;
    let metadata = file.metadata().map_err(|error| trouble(&error))?;
    let (changed, bytes) = (metadata.modified().ok(), metadata.len());
    if let Some(known) = known
        && (known.changed, known.bytes) == (changed, bytes)
    {
        return Ok(known);
    }
    let mut text = Vec::new();
    let limited = (&mut file).take(WAREHOUSE_SCHEMA_BYTES + 1).read_to_end(&mut text);
    limited.map_err(|error| trouble(&error))?;
    if text.len() as u64 > WAREHOUSE_SCHEMA_BYTES {
        return Err(Trouble::SchemaMismatch(format!("{FILE} is longer than {WAREHOUSE_SCHEMA_BYTES} bytes")));
    }
    let columns: Vec<Column> = serde_json::from_slice(&text)
        .map_err(|error| Trouble::SchemaMismatch(format!("{FILE} is no list of columns: {error}")))?;
    check(&columns).map_err(Trouble::SchemaMismatch)?;
    Ok(Known { table: Arc::new(Table { columns }), changed, bytes })
}

/// Refuses what a folder cannot hold to.
fn check(columns: &[Column]) -> Result<(), String> {
    fn default(columns: &[Column]) -> Option<&Column> {
        columns.iter().find_map(|c| if c.default_value_expression.is_some() { Some(c) } else { default(&c.fields) })
    }
    Shape::new(columns.to_vec())?;
    match default(columns) {
        Some(column) => Err(format!("column {}: default values are not implemented by this warehouse", column.name)),
        None => Ok(()),
    }
}
