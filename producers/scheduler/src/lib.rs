#![doc = include_str!("../README.md")]

mod config;
mod door;
mod migrations;
mod minute;
mod service;
mod tick;

pub use config::Config;
pub use door::doors;
pub use migrations::MIGRATIONS;
pub use minute::Length;
pub use service::{NAME, service};
pub use tick::{Tick, Ticker};
