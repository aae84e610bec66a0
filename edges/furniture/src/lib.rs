#![doc = include_str!("../README.md")]

mod config;
mod contract;
mod doors;
mod migrations;
mod rows;
mod service;

pub use config::Config;
pub use contract::{Furniture, NewFurniture};
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
