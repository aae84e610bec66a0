#![doc = include_str!("../README.md")]

mod config;
mod contract;
mod doors;
mod inventory;
mod limits;
mod migrations;
mod rows;
mod service;

pub use config::Config;
pub use contract::{Food, FoodPage, InventoryCheck, InventoryItem, NewFood, Saved};
pub use inventory::Inventory;
pub use migrations::MIGRATIONS;
pub use service::{NAME, doors, service};
