//! SQLite's errors in the store's words.

use rusqlite::ErrorCode;

use crate::StoreError;

/// What `error`, met while running `sql`, means to the caller.
pub(super) fn failed(sql: &str, error: rusqlite::Error) -> StoreError {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { reason },
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { reason },
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint { what: reason },
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory,
        ) => StoreError::Unavailable { reason },
        _ => StoreError::Sql { statement: sql.to_owned(), reason },
    }
}
