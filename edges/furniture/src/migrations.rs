//! The service's tables and what is in them on first start.

use store::Migration;

/// Oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, ..stock::LEDGER },
    Migration { version: 2, name: "furniture", sql: include_str!("../migrations/furniture.sql") },
    Migration { version: 3, ..stock::LAPSES },
    Migration { version: 4, ..stock::DEPARTURES },
];
