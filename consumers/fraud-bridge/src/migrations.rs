//! The tables.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "scorings", sql: include_str!("../migrations/0001_scorings.sql") },
    Migration { version: 2, name: "reports", sql: include_str!("../migrations/0002_reports.sql") },
    Migration { version: 3, name: "placed_at", sql: include_str!("../migrations/0003_placed_at.sql") },
];
