//! The durable part: an append-only log of messages in segments, acks beside them, and the catalogue of topics
//! and subscriptions in a file of its own.
//!
//! ```text
//! data/catalogue              topics, subscriptions and schemas, replaced as a whole
//! data/lock                   held by the broker that runs
//! data/0000000000000001.log   messages: header, then records
//! data/0000000000000001.acks  what became of them: acks, and failed attempts
//! ```
//! A publish is answered after `fdatasync`; one writer thread takes what waits, writes it at once and syncs once.
//! An ack is answered after `write`. A segment that owes nothing and retains nothing is deleted with its acks.

mod acks;
mod catalogue;
mod claims;
mod queue;
mod reader;
mod recent;
mod record;
mod recovery;
mod scan;
mod segment;
mod writer;

pub(crate) use acks::Ack;
pub(crate) use catalogue::{
    SavedCatalogue, SavedSnapshot, SavedSubscription, SavedTopic, load as load_catalogue, save as save_catalogue,
};
pub(crate) use claims::Claim;
pub(crate) use queue::{Destination, Log, LogView, Publish, Published};
pub(crate) use recent::Recent;
pub(crate) use recovery::{Found, lock, recover};
pub(crate) use scan::{Extent, Start};
pub(crate) use segment::Stored;
