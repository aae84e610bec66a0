#![doc = include_str!("../README.md")]

mod answer;
mod committing;
mod config;
mod decide;
mod door;
mod edges;
mod facts;
mod holding;
mod meters;
mod migrations;
mod orders;
mod place;
mod request;
mod service;
mod signals;
mod turns;

pub use config::Config;
pub use door::doors;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, service};
