#![doc = include_str!("../README.md")]

pub mod body;
pub mod clock;
pub mod config;
mod delivery;
mod failure;
mod page;
pub mod peer;
mod problem;
mod publisher;
mod push;
mod reaction;
pub mod retry;
pub mod server;
mod service;
mod story;
mod transactor;

pub use body::JsonBody;
pub use delivery::{Deliveries, Outcome};
pub use failure::{Failure, fingerprint};
pub use page::Page;
pub use peer::{CallError, Peer};
pub use problem::{FieldProblem, Problem};
pub use publisher::{Publisher, Publishing};
pub use reaction::{Consumer, Inquiry, Reaction};
pub use service::{Base, Foundation, Running, Service, StartError};
pub use story::{Handled, Said, Story};
pub use transactor::{Cause, Transactor};
