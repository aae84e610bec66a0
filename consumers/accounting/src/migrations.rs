//! The tables.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "ledger", sql: include_str!("../migrations/0001_ledger.sql") },
    Migration { version: 2, name: "credit_notes", sql: include_str!("../migrations/0002_credit_notes.sql") },
    Migration { version: 3, name: "words", sql: include_str!("../migrations/0003_words.sql") },
    Migration { version: 4, name: "sample", sql: include_str!("../migrations/0004_sample.sql") },
];
