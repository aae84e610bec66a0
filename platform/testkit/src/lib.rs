#![doc = include_str!("../README.md")]

mod bus;
mod emulator;
mod event;
mod issuer;
mod letters;
pub mod pubsub;
mod relay;
mod request;
mod scenario;
mod secure;
mod served;

pub use bus::SimulatedBus;
pub use emulator::Emulator;
pub use event::{EventBuilder, T0, event, facts_of};
pub use issuer::{Issuer, Mood, TestKey, rsa_key};
pub use relay::{Relay, Wire};
pub use request::{Answer, delete, get, post, put, request};
pub use scenario::Scenario;
pub use secure::{Secure, serve_secure};
pub use served::{Served, serve};
