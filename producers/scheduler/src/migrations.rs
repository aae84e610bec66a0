//! The table the scheduler owns.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "last_minute", sql: include_str!("../migrations/0001_last_minute.sql") }];
