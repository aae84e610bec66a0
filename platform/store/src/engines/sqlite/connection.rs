//! Opens connections with the settings that durability and a small memory ask for.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::failed;
use crate::StoreError;

/// Prepared statements a reader keeps; the writer keeps all of its own.
const READER_STATEMENTS: usize = 128;

/// Between two tries to open a file that is being opened or closed elsewhere.
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// Times the log is tried to be emptied; each waits for readers as long as a writer waits for its lock.
const SCRUB_TRIES: u32 = 5;

/// `cache_size` is negative KiB: a process may hold ten databases, and the system caches the file too.
/// `temp_store = MEMORY` keeps a savepoint's undo pages out of a temporary file. A checkpoint costs two disk
/// flushes, so it waits for 4,000 pages (16 MB), and the log is cut back to twice that. `secure_delete = ON` writes zeros
/// over what is deleted or replaced: what a person had erased must not be left in a page nobody looks at.
const WRITER_SETTINGS: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -2048;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 33554432;";

const READER_SETTINGS: &str = "PRAGMA cache_size = -1024;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;";

/// The one connection that writes. Makes the folder and the file when they are missing.
pub(super) fn open_writer(path: &Path, lock_wait: Duration) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::Unavailable { reason: format!("{}: {error}", folder.display()) })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags, lock_wait, WRITER_SETTINGS)?;
    #[cfg(debug_assertions)]
    if crate::planted::is_planted() {
        let normal = "PRAGMA synchronous = NORMAL";
        connection.execute_batch(normal).map_err(|error| failed(normal, error))?;
    }
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path, lock_wait: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags, lock_wait, READER_SETTINGS)?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(connection)
}

/// Writes the file anew and empties its log, so that neither holds what was deleted or replaced before. Nothing else writes meanwhile.
///
/// `secure_delete` overwrites what is deleted, but a page that was split once may keep a copy of a row in the gap between its cells; a
/// file written anew has no such gap.
pub(super) fn scrub(path: &Path, lock_wait: Duration) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags, lock_wait, WRITER_SETTINGS)?;
    let run = |sql: &'static str| connection.execute_batch(sql).map_err(|error| failed(sql, error));
    // The copy it makes on the way may be larger than memory.
    run("PRAGMA temp_store = FILE; VACUUM")?;
    for _ in 0..SCRUB_TRIES {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_held: bool = connection.query_row(sql, [], |row| row.get(0)).map_err(|error| failed(sql, error))?;
        if !is_held {
            return Ok(());
        }
        // A reader looks at what is in the log; its transaction is short.
        thread::sleep(OPEN_PAUSE);
    }
    Err(StoreError::Busy { reason: "the log is read without a pause and cannot be emptied".to_owned() })
}

fn open(path: &Path, flags: OpenFlags, lock_wait: Duration, settings: &str) -> Result<Connection, StoreError> {
    let mut attempts_left = lock_wait.as_millis() / OPEN_PAUSE.as_millis();
    loop {
        match open_once(path, flags, lock_wait, settings).map_err(|error| failed(settings, error)) {
            // Two processes that turn one file to WAL meet at a lock that SQLite does not wait for.
            Err(StoreError::Busy { .. }) if attempts_left > 0 => {
                attempts_left -= 1;
                thread::sleep(OPEN_PAUSE);
            }
            Err(StoreError::Unavailable { reason }) => {
                return Err(StoreError::Unavailable { reason: format!("{}: {reason}", path.display()) });
            }
            done => return done,
        }
    }
}

fn open_once(path: &Path, flags: OpenFlags, lock_wait: Duration, settings: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    // Short here, because `open` tries again; in full for the statements that follow.
    connection.busy_timeout(OPEN_PAUSE)?;
    connection.execute_batch(settings)?;
    // Without it a statement that meets a partial index is compiled again whenever another value is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(lock_wait)?;
    Ok(connection)
}
