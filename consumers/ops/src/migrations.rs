//! The service's tables.

use store::Migration;

/// Oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "letters", sql: include_str!("../migrations/0001_letters.sql") },
    Migration { version: 2, name: "purge", sql: include_str!("../migrations/0002_purge.sql") },
];
