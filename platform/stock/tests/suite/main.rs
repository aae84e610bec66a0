//! A ledger as its callers and Pub/Sub see it.

mod commit;
mod invariants;
mod inventory_doors;
mod release;
mod reservation_doors;
mod restock;
mod shop;
mod ship;
