//! What a subscription owes its subscribers, as pure structures: no I/O, and time is an argument.

mod backlog;
mod backoff;
mod dead_letter;
mod flow;
mod lease;
mod ordering;
mod window;

pub(crate) use backlog::{Backlog, Delivery, Missed, Nacked, Policy, Take};
pub(crate) use backoff::{Backoff, RetryPolicy};
pub(crate) use dead_letter::{DeadLetterPolicy, source_attributes};
pub(crate) use flow::{Owner, PUSH, UNARY};
pub(crate) use lease::{AckId, NEVER};
pub(crate) use window::Window;
