//! The tables.

use store::Migration;

/// Every step, in order. The first also brings the two sample customers.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "customers", sql: include_str!("../migrations/0001_customers.sql") },
    Migration { version: 2, name: "sealed", sql: include_str!("../migrations/0002_sealed.sql") },
    Migration { version: 3, name: "scrubbed", sql: include_str!("../migrations/0003_scrubbed.sql") },
];
