//! The ledger's tables.

use store::Migration;

/// The ledger's tables as a service's first migration.
pub const LEDGER: Migration =
    Migration { version: 1, name: "stock_ledger", sql: include_str!("../migrations/ledger.sql") };

/// What lets holds lapse cheaply, as a later migration of the service: give it the next version of its own.
pub const LAPSES: Migration =
    Migration { version: 2, name: "lapsing_holds", sql: include_str!("../migrations/lapses.sql") };

/// Shipments that take a part of a hold: a service's later migration, under a version of its own.
pub const DEPARTURES: Migration =
    Migration { version: 3, name: "departures", sql: include_str!("../migrations/departures.sql") };
