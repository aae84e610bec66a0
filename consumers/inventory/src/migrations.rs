//! The service's tables and what is in them on first start.

use store::Migration;

/// Oldest first. The samples are a migration, so that they come once and what was removed stays away.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, ..stock::LEDGER },
    Migration { version: 2, name: "sample_catalogue", sql: include_str!("../migrations/sample_catalogue.sql") },
    Migration { version: 3, ..stock::LAPSES },
    Migration { version: 4, ..stock::DEPARTURES },
];
