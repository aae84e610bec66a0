//! A warehouse that is a folder: per table a folder with its schema and its rows.
//!
//! `DIR/<project>.<dataset>.<table>/schema.json` holds the columns as `bq show --schema` writes them, `0001.ndjson` and on the rows, one
//! JSON object a line. Only the file with the highest number grows; the others never change again. A batch is whole lines, appended with
//! one write and synced before its messages are acked, so a reader may meet an unfinished last line only while a batch is written or
//! after a crash. What a crash left is cut off when the folder is opened.

mod rows;
mod schema;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;

use self::rows::Rows;
use self::schema::Known;
use super::column::Column;
use super::door::{Appended, Row, Table, Trouble, Warehouse};
use super::table_name::TableName;
use crate::limits::WAREHOUSE_FILE_BYTES;
use crate::sync::lock;

pub use self::schema::CreateTableError;

/// A folder of tables. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    file_bytes: u64,
    tables: Mutex<HashMap<TableName, Arc<Mutex<Open>>>>,
    /// Held as long as the folder is open.
    _lock: File,
}

/// What is kept of a table between two batches.
#[derive(Debug, Default)]
struct Open {
    known: Option<Known>,
    rows: Option<Rows>,
}

impl Folder {
    /// Opens a folder, which is made if absent, and cuts off what a crash left of unfinished rows. It makes no tables.
    ///
    /// # Errors
    /// `ResourceBusy` when another process has the folder open, and what the system says.
    pub fn open(directory: &Path) -> io::Result<Folder> {
        Folder::with_files_of(directory, WAREHOUSE_FILE_BYTES)
    }

    /// The same, with files of so many bytes: a table begins a new one once the last has reached that.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn with_files_of(directory: &Path, file_bytes: u64) -> io::Result<Folder> {
        fs::create_dir_all(directory)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another process writes to this folder")
            }
            TryLockError::Error(error) => error,
        })?;
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.join(schema::FILE).is_file() {
                rows::repair(&path)?;
            }
        }
        let inner = Inner { directory: directory.to_owned(), file_bytes, tables: Mutex::default(), _lock: lock };
        Ok(Folder { inner: Arc::new(inner) })
    }

    /// Makes a table. Whoever has the folder open sees it at once, in another process, too.
    ///
    /// # Errors
    /// See [`CreateTableError`]. The table is made as a whole or not at all.
    pub fn create_table(directory: &Path, name: &TableName, columns: &[Column]) -> Result<(), CreateTableError> {
        schema::create(&directory.join(name.to_string()), columns)
    }
}

impl Inner {
    fn path(&self, name: &TableName) -> PathBuf {
        self.directory.join(name.to_string())
    }

    fn table(&self, name: &TableName) -> Arc<Mutex<Open>> {
        Arc::clone(lock(&self.tables).entry(name.clone()).or_default())
    }

    fn look_up(&self, name: &TableName) -> Result<Arc<Table>, Trouble> {
        let table = self.table(name);
        let mut table = lock(&table);
        let found = schema::read(&self.path(name), table.known.take());
        if matches!(found, Err(Trouble::NotFound)) {
            // The files went with the table, or will not be this table's.
            table.rows = None;
            lock(&self.tables).remove(name);
        }
        let known = found?;
        let columns = Arc::clone(&known.table);
        table.known = Some(known);
        Ok(columns)
    }

    fn append(&self, name: &TableName, batch: &[u8]) -> Appended {
        let table = self.table(name);
        let mut table = lock(&table);
        let path = self.path(name);
        if !path.join(schema::FILE).is_file() {
            return Appended::Failed(Trouble::NotFound);
        }
        // A file that failed is opened, and repaired, anew.
        let appended =
            table.rows.take().filter(Rows::are_there).map_or_else(|| Rows::open(&path), Ok).and_then(|mut rows| {
                rows.append(batch, self.file_bytes)?;
                Ok(rows)
            });
        match appended {
            Ok(rows) => {
                table.rows = Some(rows);
                Appended::Written
            }
            Err(error) => Appended::Failed(trouble(&error)),
        }
    }
}

impl Warehouse for Folder {
    /// Looks at the file's time and size each time and reads it when they changed. It is in the page cache, and a hop to another
    /// thread costs more.
    fn look_up<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Arc<Table>, Trouble>> {
        async move { self.inner.look_up(table) }.boxed()
    }

    fn append<'a>(&'a self, table: &'a TableName, rows: &'a [Row]) -> BoxFuture<'a, Appended> {
        let mut batch = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut batch, &row.columns).expect("a map of JSON values is JSON, and memory takes it");
            batch.push(b'\n');
        }
        let (inner, table) = (Arc::clone(&self.inner), table.clone());
        async move {
            let written = tokio::task::spawn_blocking(move || inner.append(&table, &batch)).await;
            written.unwrap_or_else(|error| Appended::Failed(Trouble::Unavailable(error.to_string())))
        }
        .boxed()
    }
}

/// What a failure in a table's folder means.
fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Trouble::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Trouble::PermissionDenied(error.to_string())
        }
        _ => Trouble::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
