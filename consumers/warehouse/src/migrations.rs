//! The tables the warehouse owns.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "shipments", sql: include_str!("../migrations/0001_shipments.sql") }];
