#![doc = include_str!("../README.md")]

mod config;
mod decide;
mod doors;
mod facts;
mod migrations;
mod order;
mod reactions;
mod rows;
mod service;
mod view;

pub use config::Config;
pub use doors::router;
pub use migrations::MIGRATIONS;
pub use reactions::consumer;
pub use service::{NAME, service};
