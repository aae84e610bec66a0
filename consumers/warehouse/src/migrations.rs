//! The tables the warehouse owns.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "shipments", sql: include_str!("../migrations/0001_shipments.sql") },
    Migration { version: 2, name: "deliveries", sql: include_str!("../migrations/0002_deliveries.sql") },
    Migration { version: 3, name: "inspections", sql: include_str!("../migrations/0003_inspections.sql") },
];
