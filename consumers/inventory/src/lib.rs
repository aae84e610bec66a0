#![doc = include_str!("../README.md")]

mod config;
mod migrations;
mod service;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
