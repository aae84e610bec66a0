//! How much each stream has out, against the limits its client set.

use std::collections::HashMap;

/// Who holds a lease: a stream's number, or one of those below.
pub type Owner = u64;

/// Owner of leases held by the broker's own pushes.
pub const PUSH: Owner = 0;
/// Owner of leases given out by unary pulls, which have no flow control.
pub const UNARY: Owner = 1;

#[derive(Debug)]
struct Stream {
    messages: i64,
    bytes: i64,
    max_messages: i64,
    max_bytes: i64,
}

/// The open streams of one subscription.
#[derive(Debug, Default)]
pub struct Flows {
    streams: HashMap<Owner, Stream>,
}

impl Flows {
    /// A stream opens with its client's limits.
    pub fn open(&mut self, owner: Owner, max_messages: i64, max_bytes: i64) {
        self.streams.insert(owner, Stream { messages: 0, bytes: 0, max_messages, max_bytes });
    }

    /// A stream is gone.
    pub fn close(&mut self, owner: Owner) {
        self.streams.remove(&owner);
    }

    /// The same streams with nothing out.
    pub(crate) fn emptied(mut self) -> Flows {
        for stream in self.streams.values_mut() {
            (stream.messages, stream.bytes) = (0, 0);
        }
        self
    }

    /// Messages this owner may still get, and bytes after which it gets no further one.
    pub fn room(&self, owner: Owner) -> (usize, usize) {
        let room = |used: i64, max: i64| usize::try_from(max.saturating_sub(used)).unwrap_or(0);
        match self.streams.get(&owner) {
            None => (usize::MAX, usize::MAX),
            Some(s) => (room(s.messages, s.max_messages), room(s.bytes, s.max_bytes)),
        }
    }

    /// A message of so many bytes is given out.
    pub fn lent(&mut self, owner: Owner, bytes: u32) {
        if let Some(stream) = self.streams.get_mut(&owner) {
            stream.messages += 1;
            stream.bytes += i64::from(bytes);
        }
    }

    /// A message of so many bytes is out no more.
    pub fn returned(&mut self, owner: Owner, bytes: u32) {
        if let Some(stream) = self.streams.get_mut(&owner) {
            stream.messages -= 1;
            stream.bytes -= i64::from(bytes);
        }
    }
}
