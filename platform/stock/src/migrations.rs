//! The ledger's tables.

use store::Migration;

/// The ledger's tables as a service's first migration.
pub const LEDGER: Migration =
    Migration { version: 1, name: "stock_ledger", sql: include_str!("../migrations/ledger.sql") };
