//! The tables.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "ledger", sql: include_str!("../migrations/0001_ledger.sql") }];
