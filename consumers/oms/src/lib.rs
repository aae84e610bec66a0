#![doc = include_str!("../README.md")]

mod claims;
mod config;
mod deadlines;
mod decide;
mod doors;
mod facts;
mod migrations;
mod order;
mod reactions;
mod returns;
mod room;
mod rows;
mod service;
mod view;
mod waits;

pub use config::Config;
pub use deadlines::{Deadlines, Unreviewed};
pub use doors::doors;
pub use migrations::MIGRATIONS;
pub use reactions::{consumer, consumer_with};
pub use service::{NAME, service};
