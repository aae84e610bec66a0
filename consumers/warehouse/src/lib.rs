#![doc = include_str!("../README.md")]

mod command;
mod config;
mod decide;
mod doors;
mod locations;
mod migrations;
mod progress;
mod reactions;
mod rows;
mod service;
mod shipment;

pub use config::{Config, Delays};
pub use doors::router;
pub use migrations::MIGRATIONS;
pub use progress::progress;
pub use reactions::consumer;
pub use service::{NAME, service};
