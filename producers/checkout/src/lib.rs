#![doc = include_str!("../README.md")]

mod answer;
mod config;
mod decide;
mod door;
mod edges;
mod meters;
mod migrations;
mod orders;
mod place;
mod request;
mod service;
mod signals;

pub use config::Config;
pub use door::doors;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, service};
