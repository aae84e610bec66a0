#![doc = include_str!("../README.md")]

pub mod catalogue;
pub mod commit;
pub mod contract;
pub mod decide;
pub mod decimal;
pub mod doors;
pub mod holds;
pub mod keeper;
pub mod lapse;
pub mod limits;
pub mod migrations;
pub mod products;
pub mod reactions;
pub mod release;
pub mod reserve;
pub mod restock;
pub mod ship;
pub mod withdraw;

pub use doors::doors;
pub use migrations::{DEPARTURES, LAPSES, LEDGER};
pub use reactions::reactions;
