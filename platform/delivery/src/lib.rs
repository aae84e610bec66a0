#![doc = include_str!("../README.md")]

mod backlog;
mod backoff;
mod dead_letter;
mod filter;
mod flow;
mod lease;
mod message;
mod ordering;
mod pace;
pub mod service;
mod window;

pub use backlog::{Backlog, Delivery, Missed, Nacked, Policy, Take};
pub use backoff::{Backoff, RetryPolicy};
pub use dead_letter::{DeadLetterPolicy, source_attributes};
pub use filter::{Filter, parse_filter};
pub use flow::{Flows, Owner, PUSH, UNARY};
pub use lease::{AckId, NEVER};
pub use message::Message;
pub use pace::Pace;
pub use window::Window;
