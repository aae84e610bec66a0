//! The tables OMS owns.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "orders", sql: include_str!("../migrations/0001_orders.sql") },
    Migration { version: 2, name: "waits", sql: include_str!("../migrations/0002_waits.sql") },
    Migration { version: 3, name: "last_minute", sql: include_str!("../migrations/0003_last_minute.sql") },
];
