//! Writes every table of a schema anew, so that no page keeps a row's old version.

use std::thread;
use std::time::Duration;

use super::pool::Address;
use super::session::Session;
use crate::row::Row;
use crate::{StoreError, params};

/// Between two looks for somebody who still may see what was there before.
const PAUSE: Duration = Duration::from_millis(50);
/// How long is looked, in waits for a lock: as long as SQLite's log is tried to be emptied.
const WAITS: u128 = 5;

const NOW: &str = "SELECT CAST(txid_current() % 4294967296 AS TEXT)";
// Old versions of rows stay for as long as a transaction from before may look at them, and a table that is written anew takes them along.
const OLDER: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND GREATEST(age(backend_xid), age(backend_xmin)) > age(CAST(CAST(?1 AS TEXT) AS xid))";
const TABLES: &str = "SELECT CAST(relname AS TEXT), CAST(relfilenode AS BIGINT)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = ?1 AND relkind = 'r' ORDER BY 1";

/// See [`Store::scrub`](crate::Store::scrub). Blocks; outside a transaction, on a connection of its own.
pub(super) fn scrub(address: &Address) -> Result<(), StoreError> {
    let mut session = address.connect()?;
    wait_for_older(&mut session, address.lock_wait_ms)?;
    let before = tables(&mut session, &address.schema)?;
    for (table, _) in &before {
        // With the statistics, which hold samples of what was there. The name is our own migrations'.
        session.batch(&format!("VACUUM (FULL, ANALYZE) \"{}\".\"{table}\"", address.schema))?;
    }
    let after = tables(&mut session, &address.schema)?;
    // A table of somebody else's is passed over with a warning nobody reads.
    match before.iter().find(|table| after.contains(table)) {
        None => Ok(()),
        Some((table, _)) => Err(StoreError::Sql {
            statement: "VACUUM (FULL, ANALYZE)".to_owned(),
            reason: format!("{table} was not written anew: the role is not its owner"),
        }),
    }
}

fn wait_for_older(session: &mut Session, lock_wait_ms: u128) -> Result<(), StoreError> {
    let now = all(session, NOW, &[], |row| row.get_text(0))?.concat();
    for _ in 0..=(WAITS * lock_wait_ms / PAUSE.as_millis()) {
        let older = all(session, OLDER, params![&now], |row| row.get_i64(0))?;
        if older.iter().sum::<i64>() == 0 {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(StoreError::Busy { reason: "a transaction is open that still sees what was there before".to_owned() })
}

/// Each table and the file it is in.
fn tables(session: &mut Session, schema: &str) -> Result<Vec<(String, i64)>, StoreError> {
    all(session, TABLES, params![schema], |row| Ok((row.get_text(0)?, row.get_i64(1)?)))
}

fn all<T>(
    session: &mut Session,
    sql: &'static str,
    params: &[crate::Param<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    session.each(sql, params, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}
