//! A snapshot: what a subscription owed at one moment, kept so that it can be sought.

use std::sync::{Arc, Mutex};

use google_cloud_googleapis::pubsub::v1 as pb;

use crate::log::{Log, SavedSnapshot, Stored};
use crate::sync::lock;
use crate::terms::seconds_to_millis;

/// A snapshot. While it is there, the log keeps its messages.
pub(crate) struct Snapshot {
    pub(crate) name: String,
    /// Number of the topic.
    pub(crate) topic: u32,
    /// Messages from this id on belong to it.
    pub(crate) next_id: u64,
    /// Ids before `next_id` that belong to it, rising.
    unacked: Vec<u64>,
    /// Those found in the log.
    held: Mutex<Vec<Arc<Stored>>>,
    config: Mutex<pb::Snapshot>,
}

impl Snapshot {
    /// A snapshot that holds nothing yet.
    pub(crate) fn new(config: pb::Snapshot, topic: u32, next_id: u64, unacked: Vec<u64>) -> Snapshot {
        let name = config.name.clone();
        Snapshot { name, topic, next_id, unacked, held: Mutex::default(), config: Mutex::new(config) }
    }

    /// A snapshot of the catalogue.
    pub(crate) fn restored(saved: SavedSnapshot) -> Snapshot {
        let mut last = 0;
        let ids = saved.unacked.iter().map(|step| {
            last += step;
            last
        });
        Snapshot::new(saved.config, saved.topic, saved.next_id, ids.collect())
    }

    /// How it stands in the catalogue.
    pub(crate) fn saved(&self) -> SavedSnapshot {
        let mut last = 0;
        let steps = self.unacked.iter().map(|id| {
            let step = id - last;
            last = *id;
            step
        });
        SavedSnapshot { topic: self.topic, next_id: self.next_id, unacked: steps.collect(), config: self.config() }
    }

    pub(crate) fn config(&self) -> pb::Snapshot {
        lock(&self.config).clone()
    }

    pub(crate) fn set_config(&self, config: pb::Snapshot) {
        *lock(&self.config) = config;
    }

    /// How many messages it remembers one by one.
    pub(crate) fn len(&self) -> usize {
        self.unacked.len()
    }

    /// Whether a message of its topic belongs to it.
    pub(crate) fn has(&self, id: u64) -> bool {
        id >= self.next_id || self.unacked.binary_search(&id).is_ok()
    }

    /// The first message that may belong to it.
    pub(crate) fn first_id(&self) -> u64 {
        self.unacked.first().copied().unwrap_or(self.next_id)
    }

    /// Keeps a message in the log.
    pub(crate) fn hold(&self, message: Arc<Stored>) {
        message.segment.owe(1);
        lock(&self.held).push(message);
    }

    /// Keeps a message found at the start, if it is one of those that were unacked.
    pub(crate) fn restore(&self, message: &Arc<Stored>) {
        if message.id < self.next_id && self.has(message.id) {
            self.hold(Arc::clone(message));
        }
    }

    /// Lets go of everything.
    pub(crate) fn release(&self, log: &Log) {
        for message in std::mem::take(&mut *lock(&self.held)) {
            log.settle(&message);
        }
    }

    /// Whether its time is over.
    pub(crate) fn has_expired(&self, now_ms: u64) -> bool {
        let expires = lock(&self.config).expire_time.map(|time| seconds_to_millis(time.seconds, time.nanos));
        expires.is_some_and(|at_ms| at_ms <= now_ms)
    }
}
