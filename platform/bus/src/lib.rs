#![doc = include_str!("../README.md")]

mod address;
mod admin;
mod lane;
mod outgoing;
pub mod provision;
mod pubsub;

pub use address::Address;
pub use outgoing::{Bus, BusError, Outgoing, Published};
pub use pubsub::PubSub;
