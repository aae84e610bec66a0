//! PostgreSQL's errors in the store's words.

use std::error::Error as _;
use std::io;

use postgres::error::SqlState;

use super::cell::with_cause;
use crate::StoreError;

/// What `error`, met while running `sql`, means to the caller.
pub(super) fn failed(sql: &str, error: &postgres::Error) -> StoreError {
    let Some(db) = error.as_db_error() else {
        let reason = with_cause(error);
        let broken = error.is_closed() || error.source().is_some_and(|cause| cause.is::<io::Error>());
        return if broken {
            StoreError::Unavailable { reason }
        } else {
            StoreError::Sql { statement: sql.to_owned(), reason }
        };
    };
    let reason = db.message().to_owned();
    let code = db.code();
    if *code == SqlState::DISK_FULL {
        return StoreError::DiskFull { reason };
    }
    // Waiting for a lock ended by a limit, a deadlock, or two transactions that cannot both be.
    let busy = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
    ];
    if busy.contains(code) {
        return StoreError::Busy { reason };
    }
    // The class is the first two characters (PostgreSQL, appendix A).
    match code.code().get(..2) {
        Some("23") => StoreError::Constraint { what: db.constraint().map_or(reason, str::to_owned) },
        // Connection exception, insufficient resources, operator intervention, system error.
        Some("08" | "53" | "57" | "58") => StoreError::Unavailable { reason },
        _ => StoreError::Sql { statement: sql.to_owned(), reason },
    }
}

/// Whatever kept us from a connection: all of it may pass.
pub(super) fn unreachable(error: &postgres::Error) -> StoreError {
    StoreError::Unavailable { reason: with_cause(error) }
}
