#![doc = include_str!("../README.md")]

mod body;
mod broker;
mod calls;
mod clock;
mod core;
mod error;
mod faults;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod identity;
mod limits;
mod log;
mod message;
mod metrics;
mod names;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod planted;
mod proto;
mod push;
mod rest;
mod retention;
mod schema;
mod server;
mod settings;
mod snapshot;
mod start;
mod stats;
mod subscription;
mod sweep;
mod sync;
mod terms;
mod topic;
pub mod warehouse;

pub use broker::Broker;
pub use error::BrokerError;
pub use faults::Faults;
pub use settings::Settings;
pub use stats::{Stats, SubscriptionStats};
