//! Messages as bytes: what is checked when they come in, how they are kept, what is made of them going out.
//!
//! A message stays in the form it came in, an encoded `google.pubsub.v1.PubsubMessage`, and is never
//! turned into an owned structure on the way through.

mod check;
mod encode;
mod envelope;
mod view;
mod wire;

pub(crate) use check::{Incoming, check_count, incoming};
#[cfg(test)]
pub(crate) use encode::Draft;
pub(crate) use encode::{dead_letter, delivered, with_attributes};
pub(crate) use envelope::{Envelope, rfc3339};
pub(crate) use view::MessageView;
pub(crate) use wire::Fields;
