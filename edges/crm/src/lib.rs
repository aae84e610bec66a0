#![doc = include_str!("../README.md")]

pub mod config;
mod count_completion;
mod count_order;
mod customer;
pub mod decide;
mod deduct_refund;
mod door;
mod migrations;
mod service;
mod store;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
