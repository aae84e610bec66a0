#![doc = include_str!("../README.md")]

mod catalog;
mod config;
mod door;
mod forward;
mod order;
mod peers;
mod service;
mod timeline;

pub use config::Config;
pub use door::router;
pub use service::{NAME, Running, start};
