#![doc = include_str!("../README.md")]

mod broker;
mod calls;
mod clock;
mod core;
mod error;
mod grpc;
mod limits;
mod log;
mod message;
mod names;
mod push;
mod rest;
mod server;
mod settings;
mod start;
mod stats;
mod subscription;
mod sweep;
mod sync;
mod topic;

pub use broker::Broker;
pub use error::BrokerError;
pub use settings::Settings;
pub use stats::{Stats, SubscriptionStats};
