#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
mod door;
mod engine;
mod meters;
mod migrations;
mod note_ending;
mod open_scoring;
pub mod pace;
mod report;
mod reports;
mod scoring;
mod service;
mod settle;
mod store;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
pub use settle::{Run, Settler};
