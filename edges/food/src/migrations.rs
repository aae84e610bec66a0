//! The service's tables and what is in them on first start.

use store::Migration;

/// Oldest first.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "food", sql: include_str!("../migrations/food.sql") }];
