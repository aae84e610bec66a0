#![doc = include_str!("../README.md")]

pub mod config;
mod count_completion;
mod count_order;
mod customer;
pub mod decide;
mod deduct_refund;
mod door;
mod erasing;
mod erasures;
mod migrations;
mod prepare;
mod service;
mod store;
mod vault;

pub use config::{Config, PERSONAL_KEY};
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, preparation, service};
pub use vault::MasterKey;
