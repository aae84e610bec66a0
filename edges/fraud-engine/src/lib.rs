#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
mod door;
mod metric;
mod migrations;
mod service;
mod store;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, doors, service};
