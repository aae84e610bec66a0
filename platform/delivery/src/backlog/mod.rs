//! One subscription's unacked messages: who may get which one when.

mod give;
mod settle;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Message;
use crate::backoff::RetryPolicy;
use crate::dead_letter::DeadLetterPolicy;
use crate::flow::{Flows, Owner};
use crate::lease::{AckId, Leases, State};
use crate::ordering::KeyQueue;

/// What decides a message's way through a subscription.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether messages of one key come in order.
    pub ordered: bool,
    /// How long a failed message waits.
    pub retry: RetryPolicy,
    /// When a failed message is given up; never without one.
    pub dead_letter: Option<DeadLetterPolicy>,
}

/// How much to give out, to whom.
#[derive(Debug, Clone, Copy)]
pub struct Take {
    /// Messages, at most.
    pub messages: usize,
    /// Bytes after which no further message is added.
    pub bytes: usize,
    /// Messages of one ordering key, at most.
    pub per_key: usize,
    /// The time.
    pub now_ms: u64,
    /// When the leases end.
    pub until_ms: u64,
    /// Who gets them.
    pub owner: Owner,
}

/// A message given out.
#[derive(Debug)]
pub struct Delivery<M> {
    /// What is given out.
    pub message: Arc<M>,
    /// Number of this delivery, counted from 1.
    pub attempt: u16,
    /// What it is acked with.
    pub ack_id: AckId,
}

/// A message that used up its attempts. It keeps its place until [`Backlog::ack`] or [`Backlog::not_forwarded`].
#[derive(Debug)]
pub struct Missed<M> {
    /// What could not be delivered.
    pub message: Arc<M>,
    /// Deliveries so far.
    pub attempts: u16,
}

/// What became of a negative acknowledgement.
#[derive(Debug)]
pub enum Nacked<M> {
    /// No such lease: acked, expired or delivered again since.
    Unknown,
    /// Comes again. The attempts so far are to be remembered.
    Again(Arc<M>, u16),
    /// To the dead-letter topic with it.
    Exhausted(Missed<M>),
}

#[derive(Debug)]
enum Turn<M> {
    Fresh(Arc<M>),
    /// A message of an earlier run. It is among the leases: an ack of what that run gave out must find it.
    Restored(u64),
    Key(u64),
}

/// The unacked messages of one subscription.
#[derive(Debug)]
pub struct Backlog<M> {
    policy: Policy,
    /// Messages without order that this run has not delivered, and keys whose first message may go.
    line: VecDeque<Turn<M>>,
    /// Messages without order whose next turn has come.
    again: VecDeque<u64>,
    keys: HashMap<u64, KeyQueue<M>>,
    leases: Leases<M>,
    /// What each stream has out.
    pub flows: Flows,
    len: usize,
    again_next: bool,
}

impl<M: Message> Backlog<M> {
    /// An empty backlog. `lease` differs from run to run, so that no lease takes the number of one of an earlier run.
    pub fn new(policy: Policy, lease: u32) -> Backlog<M> {
        Backlog {
            policy,
            line: VecDeque::new(),
            again: VecDeque::new(),
            keys: HashMap::new(),
            leases: Leases::from(lease),
            flows: Flows::default(),
            len: 0,
            again_next: false,
        }
    }

    /// Changes what decides a message's way from now on. Whether it is ordered cannot change.
    pub fn set_policy(&mut self, retry: RetryPolicy, dead_letter: Option<DeadLetterPolicy>) {
        self.policy.retry = retry;
        self.policy.dead_letter = dead_letter;
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Messages not acked, with a subscriber or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// A message comes in, behind all before it.
    pub fn insert(&mut self, message: Arc<M>) {
        self.len += 1;
        if self.is_ordered(&message) {
            let key = message.key();
            let queue = self.keys.entry(key).or_default();
            queue.push(message);
            if queue.len() == 1 {
                queue.in_line = true;
                self.line.push_back(Turn::Key(key));
            }
        } else {
            self.line.push_back(Turn::Fresh(message));
        }
    }

    /// A message comes in that is not given out before this time.
    pub fn insert_later(&mut self, message: Arc<M>, due_ms: u64) {
        let id = message.id();
        self.leases.restore(&message, 0);
        self.leases.set(id, State::Waiting { due_ms });
        if self.is_ordered(&message) {
            self.insert(message);
        } else {
            self.len += 1;
        }
    }

    /// A message comes in that an earlier run of the broker failed to deliver `attempts` times. It may be with a subscriber of that run.
    pub fn restore(&mut self, message: Arc<M>, attempts: u16) {
        self.leases.restore(&message, attempts);
        if self.is_ordered(&message) {
            return self.insert(message);
        }
        self.len += 1;
        if attempts > 0 {
            self.again.push_back(message.id());
        } else {
            self.line.push_back(Turn::Restored(message.id()));
        }
    }

    /// All messages, with a subscriber or not, in no order.
    pub fn messages(&self) -> impl Iterator<Item = &Arc<M>> {
        let fresh = self.line.iter().filter_map(|turn| match turn {
            Turn::Fresh(message) => Some(message),
            Turn::Restored(_) | Turn::Key(_) => None,
        });
        let keyed = self.keys.values().flat_map(KeyQueue::iter);
        let touched = self.leases.iter().map(|t| &t.message).filter(|m| !self.is_ordered(m));
        fresh.chain(keyed).chain(touched)
    }

    /// Messages that were delivered before and are not done.
    pub fn touched(&self) -> impl Iterator<Item = &Arc<M>> {
        self.leases.iter().filter(|t| t.attempts > 0).map(|t| &t.message)
    }

    /// When to call [`Backlog::pass`] next.
    pub fn next_due(&self) -> Option<u64> {
        self.leases.next_due()
    }

    /// Publish time of the oldest message that is not acked.
    pub fn oldest_publish_ms(&self) -> Option<u64> {
        let fresh = self.line.iter().find_map(|turn| match turn {
            Turn::Fresh(message) => Some(message.publish_ms()),
            Turn::Restored(_) | Turn::Key(_) => None,
        });
        let touched = self.leases.iter().map(|t| t.message.publish_ms()).min();
        let keyed = self.keys.values().filter_map(KeyQueue::front).map(|m| m.publish_ms()).min();
        fresh.into_iter().chain(touched).chain(keyed).min()
    }

    #[cfg(test)]
    pub(crate) fn timers(&self) -> usize {
        self.leases.timers()
    }

    fn is_ordered(&self, message: &M) -> bool {
        self.policy.ordered && message.key() != 0
    }
}
