//! Seek and snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check;
use super::message::Kept;
use super::refusal::Refusal;
use super::{Page, SimulatedPubSub};

/// Where to seek.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeekTo {
    /// What was published before is acked, the rest is not. Milliseconds since the epoch.
    Time(u64),
    /// What was unacked when the snapshot was made, and what was published since. Its full name.
    Snapshot(String),
}

/// What a subscription owed once.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) topic: String,
    unacked: BTreeMap<u64, Arc<Kept>>,
    /// Messages above this were published later.
    last_id: u64,
}

impl SimulatedPubSub {
    /// Marks messages acked or not. Of acked messages, only those that were kept come back: with
    /// [`SubscriptionSpec::retain_acked`](super::SubscriptionSpec::retain_acked), or while the topic has a snapshot.
    ///
    /// # Errors
    /// No such subscription or snapshot, or a snapshot of another topic.
    pub fn seek(&mut self, name: &str, to: &SeekTo) -> Result<(), Refusal> {
        let now_ms = self.now_ms;
        let subscription = self.subscriptions.get_mut(name).ok_or_else(|| Refusal::not_found(name))?;
        let snapshot = match to {
            SeekTo::Time(_) => None,
            SeekTo::Snapshot(of) => {
                let found = self.snapshots.get(of).ok_or_else(|| Refusal::not_found(of))?;
                if found.topic != subscription.spec.topic {
                    return Err(Refusal::invalid(format!("{of} is of another topic")));
                }
                Some(found)
            }
        };
        subscription.purge(now_ms);
        let mut known = std::mem::take(&mut subscription.unacked);
        if snapshot.is_some() || subscription.spec.retain_acked {
            known.append(&mut subscription.acked);
        }
        let is_owed = |message: &Kept| match (to, snapshot) {
            (SeekTo::Time(from_ms), _) => message.publish_ms >= *from_ms,
            (_, Some(snapshot)) => message.id > snapshot.last_id,
            (SeekTo::Snapshot(_), None) => false,
        };
        let mut unacked = snapshot.map(|snapshot| snapshot.unacked.clone()).unwrap_or_default();
        unacked.extend(known.iter().filter(|(_, m)| is_owed(m)).map(|(id, m)| (*id, Arc::clone(m))));
        known.retain(|id, _| !unacked.contains_key(id));
        subscription.acked.append(&mut known);
        subscription.owe(unacked);
        subscription.in_flight = 0;
        let number = subscription.number;
        self.forget_pushes(number);
        self.pass(name);
        Ok(())
    }

    /// Remembers what a subscription owes now.
    ///
    /// # Errors
    /// A bad name or one that is taken, no such subscription, or one without its topic.
    pub fn create_snapshot(&mut self, name: &str, subscription: &str) -> Result<(), Refusal> {
        check::name(name, "snapshots")?;
        if self.snapshots.contains_key(name) {
            return Err(Refusal::already_exists(name));
        }
        let last_id = self.last_id;
        let of = self.subscription(subscription)?;
        if of.spec.detached || of.spec.topic == check::DELETED_TOPIC {
            return Err(Refusal::precondition(format!("{subscription} has no topic")));
        }
        let snapshot = Snapshot { topic: of.spec.topic.clone(), unacked: of.unacked.clone(), last_id };
        self.snapshots.insert(name.to_owned(), snapshot);
        Ok(())
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    /// No such snapshot.
    pub fn delete_snapshot(&mut self, name: &str) -> Result<(), Refusal> {
        check::name(name, "snapshots")?;
        self.snapshots.remove(name).map(drop).ok_or_else(|| Refusal::not_found(name))
    }

    /// Names of a project's snapshots, sorted; `project` as in `projects/p`.
    ///
    /// # Errors
    /// A negative page size.
    pub fn list_snapshots(&self, project: &str, page_size: i32, page_token: &str) -> Result<Page, Refusal> {
        let prefix = format!("{project}/");
        check::page(self.snapshots.keys().filter(|name| name.starts_with(&prefix)), page_size, page_token)
    }
}
