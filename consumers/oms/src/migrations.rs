//! The tables OMS owns.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "orders", sql: include_str!("../migrations/0001_orders.sql") }];
