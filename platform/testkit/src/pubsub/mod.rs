//! Pub/Sub in memory: one thread, a clock of its own, and faults by seed.
//!
//! What a subscription owes is decided by the crate `delivery`, the same code the embedded broker runs on. The same calls with the
//! same seed make the same run.

mod agenda;
mod check;
mod door;
mod envelope;
mod faults;
mod limits;
mod message;
mod publish;
mod pull;
mod push;
mod random;
mod refusal;
mod seek;
mod spec;
mod steps;
mod subscription;
mod subscriptions;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::{BTreeMap, BTreeSet};

pub use delivery::{Backoff, DeadLetterPolicy};
pub use door::SimulatedDoor;
pub use faults::{Faults, Link};
pub use message::{Draft, Kept};
pub use push::Push;
pub use random::Random;
pub use refusal::{Code, Refusal};
pub use seek::SeekTo;
pub use spec::SubscriptionSpec;
pub use steps::Step;
pub use subscription::Received;

use agenda::Agenda;
use faults::Fate;
use push::InFlight;
use seek::Snapshot;
use subscription::Subscription;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Full names, sorted.
    pub names: Vec<String>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// The simulated service. Every map is sorted: no order depends on chance but that of the seed.
pub struct SimulatedPubSub {
    now_ms: u64,
    last_id: u64,
    last_number: u32,
    last_push: u64,
    topics: BTreeSet<String>,
    subscriptions: BTreeMap<String, Subscription>,
    snapshots: BTreeMap<String, Snapshot>,
    agenda: Agenda,
    pushes: BTreeMap<u64, InFlight>,
    fate: Fate,
}

impl SimulatedPubSub {
    /// An empty service at `now_ms`, without faults.
    pub fn new(seed: u64, now_ms: u64) -> SimulatedPubSub {
        SimulatedPubSub {
            now_ms,
            last_id: 0,
            last_number: 0,
            last_push: 0,
            topics: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            agenda: Agenda::default(),
            pushes: BTreeMap::new(),
            fate: Fate::new(seed),
        }
    }

    /// What goes wrong from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.fate.faults = faults;
    }

    /// Cuts a link for so many milliseconds; 0 mends it.
    pub fn cut(&mut self, link: Link, ms: u64) {
        let until_ms = self.now_ms + ms;
        self.fate.cut(link, until_ms);
    }

    /// Messages a subscription owes.
    pub fn backlog(&self, subscription: &str) -> usize {
        self.subscriptions.get(subscription).map_or(0, |s| s.unacked.len())
    }
}
