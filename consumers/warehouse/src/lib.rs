#![doc = include_str!("../README.md")]

mod command;
mod config;
mod decide;
mod doors;
mod lapse;
mod locations;
mod migrations;
mod progress;
mod reactions;
mod return_rows;
mod returns;
mod rows;
mod service;
mod shipment;
mod tracking;

pub use config::{Carrier, Config, Delays};
pub use doors::doors;
pub use lapse::lapse;
pub use migrations::MIGRATIONS;
pub use progress::progress;
pub use reactions::consumer;
pub use service::{NAME, service};
