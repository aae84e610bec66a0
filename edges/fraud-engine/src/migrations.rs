//! The tables.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "metrics", sql: include_str!("../migrations/0001_metrics.sql") },
    Migration { version: 2, name: "history", sql: include_str!("../migrations/0002_history.sql") },
];
