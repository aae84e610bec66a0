//! Where a service's tables live: one SQLite file, or one schema of a PostgreSQL database.

use std::fmt;
use std::path::PathBuf;

use crate::{Held, StoreError};

/// The longest owner name: PostgreSQL cuts identifiers at 63 bytes.
const MAX_OWNER_BYTES: usize = 63;

/// The database of one service. Two services never share one.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of its own; SQLite keeps `<path>-wal` and `<path>-shm` beside it.
    Sqlite {
        /// The file. Its folder is made when missing.
        path: PathBuf,
    },
    /// A schema of its own in a database that others may share.
    Postgres {
        /// `postgres://user:password@host:port/database`, or any form libpq reads as a URL.
        url: String,
        /// The schema, made when missing. `[a-z0-9_]`, at most 63 bytes.
        schema: String,
    },
    /// A database in memory that a simulation holds. It has no address: only who holds it can hand it in.
    Held(Held),
}

impl Database {
    /// Reads the address from a service's configuration.
    ///
    /// `sqlite:DIR` is the file `DIR/<owner>.db`; `postgres://…` (or `postgresql://…`) is the schema named
    /// `owner`, with `_` for `-`.
    ///
    /// # Errors
    /// [`StoreError::Address`] for another scheme, an empty folder, or an owner that is not `[a-z0-9-]`.
    pub fn parse(url: &str, owner: &str) -> Result<Database, StoreError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !owner.starts_with(|c: char| c.is_ascii_lowercase())
            || !owner.chars().all(plain)
            || owner.len() > MAX_OWNER_BYTES
        {
            return Err(StoreError::Address { reason: format!("{owner:?} cannot name a database: use [a-z0-9-]") });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Postgres { url: url.to_owned(), schema: owner.replace('-', "_") });
        }
        match url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
            Some("") => Err(StoreError::Address { reason: "sqlite: needs a folder, as in sqlite:data".to_owned() }),
            Some(folder) => Ok(Database::Sqlite { path: PathBuf::from(folder).join(format!("{owner}.db")) }),
            // The address itself stays out of the text: it may carry a password.
            None => Err(StoreError::Address { reason: "expected sqlite:DIR or postgres://…".to_owned() }),
        }
    }
}

/// Leaves the URL out: it may carry a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Database::Postgres { schema, .. } => {
                f.debug_struct("Postgres").field("schema", schema).finish_non_exhaustive()
            }
            Database::Held(held) => held.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_file_per_owner() {
        for url in ["sqlite:/var/data", "sqlite:///var/data"] {
            let path = PathBuf::from("/var/data/fraud-bridge.db");
            assert_eq!(Database::parse(url, "fraud-bridge"), Ok(Database::Sqlite { path }));
        }
    }

    #[test]
    fn a_server_becomes_a_schema_per_owner() {
        let url = "postgres://u:secret@h/db".to_owned();
        let parsed = Database::parse(&url, "fraud-bridge").unwrap();
        assert!(!format!("{parsed:?}").contains("secret"));
        assert_eq!(parsed, Database::Postgres { url, schema: "fraud_bridge".to_owned() });
    }

    #[test]
    fn what_cannot_name_a_database_is_refused_and_not_repeated() {
        let long = "a".repeat(64);
        let bad = [
            ("mysql://u:secret@h", "oms"),
            ("sqlite:", "oms"),
            ("sqlite:d", ""),
            ("sqlite:d", "a\"b"),
            ("sqlite:d", "../oms"),
            ("sqlite:d", &long),
        ];
        for (url, owner) in bad {
            let error = Database::parse(url, owner).unwrap_err();
            assert!(matches!(&error, StoreError::Address { reason } if !reason.contains("secret")), "{error:?}");
        }
    }
}
