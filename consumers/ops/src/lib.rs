#![doc = include_str!("../README.md")]

mod config;
mod doors;
mod edit;
mod filter;
mod incoming;
mod ingest;
mod limits;
mod migrations;
mod peers;
mod plan;
mod purge;
mod replay;
mod rows;
mod service;
mod signed;

pub use config::Config;
pub use filter::Filter;
pub use ingest::Ingest;
pub use migrations::MIGRATIONS;
pub use purge::Purge;
pub use replay::{Progress, Replays};
pub use service::{NAME, Parts, parts, service};
