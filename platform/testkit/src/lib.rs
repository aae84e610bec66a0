#![doc = include_str!("../README.md")]

mod bus;
mod emulator;
mod event;
mod issuer;
mod letters;
pub mod pubsub;
mod request;
mod scenario;
mod served;

pub use bus::SimulatedBus;
pub use emulator::Emulator;
pub use event::{EventBuilder, T0, event, facts_of};
pub use issuer::{Issuer, Mood, TestKey, rsa_key};
pub use request::{Answer, delete, get, post, put, request};
pub use scenario::Scenario;
pub use served::{Served, serve};
