#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
mod door;
mod history;
mod metric;
mod migrations;
mod purge;
mod record;
mod service;
mod store;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use purge::purge;
pub use service::{NAME, doors, service};
