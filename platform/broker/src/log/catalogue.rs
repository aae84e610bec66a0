//! Topics, subscriptions, snapshots and schemas on disk: one file, replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use google_cloud_googleapis::pubsub::v1 as pb;
use prost::Message;

/// Everything that is not a message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedCatalogue {
    #[prost(message, repeated, tag = "1")]
    pub(crate) topics: Vec<SavedTopic>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) subscriptions: Vec<SavedSubscription>,
    /// Number of the topic, subscription or schema revision made last; none is given twice.
    #[prost(uint32, tag = "3")]
    pub(crate) last_number: u32,
    #[prost(message, repeated, tag = "5")]
    pub(crate) snapshots: Vec<SavedSnapshot>,
    /// One for each revision, those of one schema oldest first.
    #[prost(message, repeated, tag = "4")]
    pub(crate) schemas: Vec<pb::Schema>,
}

/// A topic.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedTopic {
    #[prost(uint32, tag = "1")]
    pub(crate) number: u32,
    #[prost(message, required, tag = "2")]
    pub(crate) config: pb::Topic,
}

/// A subscription.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedSubscription {
    #[prost(uint32, tag = "1")]
    pub(crate) number: u32,
    /// Its topic, deleted or not.
    #[prost(uint32, tag = "2")]
    pub(crate) topic: u32,
    /// The first message id that belongs to it.
    #[prost(uint64, tag = "3")]
    pub(crate) from_id: u64,
    #[prost(message, required, tag = "4")]
    pub(crate) config: pb::Subscription,
    /// Messages published before this time, in milliseconds since the epoch, are dropped.
    #[prost(uint64, tag = "5")]
    pub(crate) skip_until_ms: u64,
}

/// A snapshot.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedSnapshot {
    /// Its topic, deleted or not.
    #[prost(uint32, tag = "1")]
    pub(crate) topic: u32,
    /// Messages from this id on belong to it.
    #[prost(uint64, tag = "2")]
    pub(crate) next_id: u64,
    /// Messages before `next_id` that belong to it: the first id, then the distance from one to the next.
    #[prost(uint64, repeated, tag = "3")]
    pub(crate) unacked: Vec<u64>,
    #[prost(message, required, tag = "4")]
    pub(crate) config: pb::Snapshot,
}

/// Reads the catalogue; an empty one when there is none.
///
/// # Errors
/// `InvalidData` when the file is damaged: a crash cannot do that, as it is replaced as a whole.
pub(crate) fn load(dir: &Path) -> io::Result<SavedCatalogue> {
    let bytes = match fs::read(dir.join("catalogue")) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(SavedCatalogue::default()),
        Err(e) => return Err(e),
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the catalogue is damaged");
    let (crc, body) = bytes.split_at_checked(4).ok_or_else(damaged)?;
    if crc != crc32fast::hash(body).to_le_bytes() {
        return Err(damaged());
    }
    SavedCatalogue::decode(body).map_err(|_| damaged())
}

/// Replaces the catalogue. Returns when it is on disk; on an error the old one stays.
pub(crate) fn save(dir: &Path, catalogue: &SavedCatalogue) -> io::Result<()> {
    let body = catalogue.encode_to_vec();
    let new = dir.join("catalogue.new");
    let mut file = File::create(&new)?;
    file.write_all(&crc32fast::hash(&body).to_le_bytes())?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&new, dir.join("catalogue"))?;
    File::open(dir)?.sync_all()
}
