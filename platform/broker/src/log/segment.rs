//! A segment of the log and the messages in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use super::acks::AckFile;
use super::claims::Claims;
use super::reader::Record;
use super::scan::Start;
use crate::sync::lock;

/// One file of the log with its ack file.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) acks: Mutex<AckFile>,
    /// Bytes of the ack file.
    ack_bytes: AtomicU64,
    /// Pairs of message and subscription that are not done.
    live: AtomicU64,
    /// No message is added any more.
    sealed: AtomicBool,
    /// Its file is deleted, or about to be.
    gone: AtomicBool,
    /// The last message of each topic, by the topic's number.
    newest: Mutex<BTreeMap<u32, Newest>>,
}

/// The last message of a topic in a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) id: u64,
    pub(super) publish_ms: u64,
}

/// Where a message is, and what its delivery needs to know of it.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Id given at publish; rises along the log.
    pub(crate) id: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) publish_ms: u64,
    /// Hash of the ordering key, 0 without one.
    pub(crate) key: u64,
    pub(crate) segment: Arc<Segment>,
    /// Where the payload starts in the segment.
    pub(crate) offset: u32,
    /// Bytes of the payload.
    pub(crate) len: u32,
}

impl delivery::Message for Stored {
    fn id(&self) -> u64 {
        self.id
    }

    fn key(&self) -> u64 {
        self.key
    }

    fn publish_ms(&self) -> u64 {
        self.publish_ms
    }

    fn bytes(&self) -> u32 {
        self.len
    }
}

impl Segment {
    pub(super) fn new(dir: &Path, number: u64, file: File) -> Segment {
        let path = path(dir, number);
        let acks = Mutex::new(AckFile::beside(&path));
        Segment {
            number,
            path,
            file,
            acks,
            ack_bytes: AtomicU64::new(0),
            live: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            newest: Mutex::default(),
        }
    }

    /// Reads a payload from the file.
    pub(crate) fn read(&self, offset: u32, len: u32) -> io::Result<Bytes> {
        let mut out = vec![0; len as usize];
        self.file.read_exact_at(&mut out, u64::from(offset))?;
        Ok(out.into())
    }

    /// A record of this segment as a message. `None` for a place no segment reaches.
    pub(super) fn stored(self: &Arc<Self>, record: &Record) -> Option<Arc<Stored>> {
        Some(Arc::new(Stored {
            id: record.head.id,
            publish_ms: record.head.publish_ms,
            key: record.head.key,
            segment: Arc::clone(self),
            offset: u32::try_from(record.offset).ok()?,
            len: u32::try_from(record.payload.len()).ok()?,
        }))
    }

    /// Counts messages that subscriptions now owe.
    pub(crate) fn owe(&self, count: u64) {
        self.live.fetch_add(count, Ordering::AcqRel);
    }

    /// Counts one message that a subscription owes no more. True when the segment holds nothing any more.
    pub(crate) fn settle(&self) -> bool {
        self.live.fetch_sub(1, Ordering::AcqRel) == 1 && self.sealed.load(Ordering::Acquire)
    }

    /// Bytes of its ack file.
    pub(super) fn ack_bytes(&self) -> u64 {
        self.ack_bytes.load(Ordering::Relaxed)
    }

    /// Its ack file has so many bytes now.
    pub(super) fn set_ack_bytes(&self, bytes: u64) {
        self.ack_bytes.store(bytes, Ordering::Relaxed);
    }

    /// No message is added from now on.
    pub(super) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// A message of this topic is added.
    pub(super) fn note(&self, topic: u32, id: u64, publish_ms: u64) {
        lock(&self.newest).insert(topic, Newest { id, publish_ms });
    }

    /// Whether it has messages of this topic that are not before `start`.
    pub(super) fn reaches(&self, topic: u32, start: Start) -> bool {
        lock(&self.newest).get(&topic).is_some_and(|last| last.id >= start.id && last.publish_ms >= start.publish_ms)
    }

    /// Whether it can be deleted: nobody is owed a message of it, and none is retained.
    pub(super) fn is_done(&self, claims: &Claims, now_ms: u64) -> bool {
        self.sealed.load(Ordering::Acquire)
            && self.live.load(Ordering::Acquire) == 0
            && !lock(&self.newest).iter().any(|(topic, newest)| claims.hold(*topic, *newest, now_ms))
    }

    /// It is deleted from now on.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Whether it is deleted.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// The file of a segment.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.log"))
}
