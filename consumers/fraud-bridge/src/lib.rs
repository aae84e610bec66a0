#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
mod door;
mod engine;
mod migrations;
mod open_scoring;
mod scoring;
mod service;
mod settle;
mod store;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
pub use settle::{Run, Settler};
