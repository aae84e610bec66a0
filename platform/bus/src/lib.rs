#![doc = include_str!("../README.md")]

mod address;
mod admin;
mod inbound;
mod lane;
mod letters;
mod outgoing;
pub mod provision;
mod pubsub;

pub use address::Address;
pub use letters::{Letter, Letters, Receipt};
pub use outgoing::{Bus, BusError, Outgoing, Published};
pub use pubsub::PubSub;
