//! A ledger as its callers and Pub/Sub see it.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod commit;
mod invariants;
mod inventory_doors;
mod lapse;
mod postgres;
mod release;
mod reservation_doors;
mod restock;
mod ship;
mod shop;
mod states;
