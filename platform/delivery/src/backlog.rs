//! One subscription's unacked messages: who may get which one when.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Message;
use crate::backoff::RetryPolicy;
use crate::dead_letter::DeadLetterPolicy;
use crate::flow::{Flows, Owner};
use crate::lease::{AckId, Leases, NEVER, State};
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

    /// Gives out messages whose turn it is.
    pub fn take(&mut self, take: Take) -> Vec<Delivery<M>> {
        let (messages, bytes) = self.flows.room(take.owner);
        let (messages, bytes) = (messages.min(take.messages), bytes.min(take.bytes));
        let mut out = Vec::new();
        let mut used = 0usize;
        while out.len() < messages && used < bytes {
            self.again_next = !self.again_next;
            let again = if self.again_next || self.line.is_empty() { self.again.pop_front() } else { None };
            if let Some(id) = again {
                used += self.lend_ready(id, take, &mut out);
                continue;
            }
            match self.line.pop_front() {
                Some(Turn::Fresh(message)) => {
                    used += message.bytes() as usize;
                    out.push(self.lend(message, take));
                }
                Some(Turn::Restored(id)) => used += self.lend_ready(id, take, &mut out),
                Some(Turn::Key(key)) => {
                    let most = take.per_key.min(messages - out.len());
                    used += self.take_key(key, most, bytes - used, take, &mut out);
                }
                None if self.again.is_empty() => break,
                None => {}
            }
        }
        out
    }

    /// Gives out messages of one key whose turn it is, and says how many bytes.
    fn take_key(&mut self, key: u64, messages: usize, bytes: usize, take: Take, out: &mut Vec<Delivery<M>>) -> usize {
        let mut used = 0;
        // An in-line mark that is gone means that the line still held a key whose queue ended and began anew.
        let Some(queue) = self.keys.get_mut(&key).filter(|q| q.in_line) else { return 0 };
        queue.in_line = false;
        for _ in 0..messages {
            let Some(queue) = self.keys.get_mut(&key) else { break };
            let Some(message) = queue.peek_next().map(Arc::clone) else { break };
            let held_back = self.leases.get(message.id()).is_some_and(|t| match t.state {
                State::Waiting { due_ms } => due_ms > take.now_ms,
                state => state == State::Dying,
            });
            if held_back || used >= bytes {
                break;
            }
            queue.lend_next();
            used += message.bytes() as usize;
            out.push(self.lend(message, take));
        }
        used
    }

    /// Gives out a message among the leases, unless it was acked, and says how many bytes.
    fn lend_ready(&mut self, id: u64, take: Take, out: &mut Vec<Delivery<M>>) -> usize {
        let ready = self.leases.get(id).filter(|t| t.state == State::Ready).map(|t| Arc::clone(&t.message));
        let Some(message) = ready else { return 0 };
        let bytes = message.bytes() as usize;
        out.push(self.lend(message, take));
        bytes
    }

    fn lend(&mut self, message: Arc<M>, take: Take) -> Delivery<M> {
        self.flows.lent(take.owner, message.bytes());
        let (attempt, lease) = self.leases.lend(&message, take.until_ms, take.owner);
        let ack_id = AckId { message: message.id(), lease };
        Delivery { message, attempt, ack_id }
    }

    /// A message is done. `None` when it was already. An ack is good even after its lease, and after the run that gave it.
    pub fn ack(&mut self, id: u64, now_ms: u64) -> Option<Arc<M>> {
        let touched = self.leases.remove(id)?;
        self.end_lease(&touched.message, touched.state);
        self.len -= 1;
        if self.is_ordered(&touched.message) {
            let key = touched.message.key();
            if let Some(queue) = self.keys.get_mut(&key) {
                queue.remove(id);
            }
            self.next_of_key(key, now_ms);
        }
        Some(touched.message)
    }

    /// A message is done, if this very delivery still has its lease. `None` when it has not.
    pub fn ack_leased(&mut self, ack_id: AckId, now_ms: u64) -> Option<Arc<M>> {
        if self.is_leased(ack_id, now_ms) { self.ack(ack_id.message, now_ms) } else { None }
    }

    /// Whether this delivery still has its lease.
    pub fn is_leased(&self, ack_id: AckId, now_ms: u64) -> bool {
        self.leases.get(ack_id.message).is_some_and(|t| {
            t.lease == ack_id.lease && matches!(t.state, State::Leased { until_ms, .. } if until_ms > now_ms)
        })
    }

    /// A delivery failed. It comes again after the retry policy's wait, or `wait_ms` if that is longer.
    pub fn nack(&mut self, ack_id: AckId, wait_ms: u64, now_ms: u64) -> Nacked<M> {
        let id = ack_id.message;
        let Some(touched) = self.leases.get(id).filter(|t| t.lease == ack_id.lease) else { return Nacked::Unknown };
        let State::Leased { .. } = touched.state else { return Nacked::Unknown };
        let (message, attempts, state) = (Arc::clone(&touched.message), touched.attempts, touched.state);
        self.end_lease(&message, state);
        if self.policy.dead_letter.as_ref().is_some_and(|policy| policy.is_exhausted(attempts)) {
            self.leases.set(id, State::Dying);
            return Nacked::Exhausted(Missed { message, attempts });
        }
        self.again_after(&message, wait_ms.max(self.policy.retry.after(attempts)), now_ms);
        Nacked::Again(message, attempts)
    }

    /// A delivery is repeated though it was acked. The attempt counts.
    pub fn repeat(&mut self, id: u64, now_ms: u64) {
        let Some(touched) = self.leases.get(id) else { return };
        let State::Leased { .. } = touched.state else { return };
        let (message, state) = (Arc::clone(&touched.message), touched.state);
        self.end_lease(&message, state);
        self.again_after(&message, 0, now_ms);
    }

    /// The ack of a delivery is lost: its lease runs on, and ends now if it has no deadline.
    pub fn forget_ack(&mut self, id: u64, now_ms: u64) {
        let state = self.leases.get(id).map(|t| t.state);
        if matches!(state, Some(State::Leased { until_ms: NEVER, .. })) {
            self.repeat(id, now_ms);
        }
    }

    /// A dead letter could not be published: the message comes again.
    pub fn not_forwarded(&mut self, id: u64, wait_ms: u64, now_ms: u64) {
        let Some(touched) = self.leases.get(id).filter(|t| t.state == State::Dying) else { return };
        let message = Arc::clone(&touched.message);
        self.again_after(&message, wait_ms, now_ms);
    }

    /// Moves a lease's deadline. False when there is no such lease.
    pub fn extend(&mut self, ack_id: AckId, until_ms: u64, now_ms: u64) -> bool {
        let held = self.is_leased(ack_id, now_ms);
        if held {
            self.leases.extend(ack_id.message, until_ms);
        }
        held
    }

    /// Lets time pass: waits end and leases expire. Gives what became of the expired ones.
    pub fn pass(&mut self, now_ms: u64) -> Vec<Nacked<M>> {
        let mut expired = Vec::new();
        while let Some(id) = self.leases.pop_due(now_ms) {
            let Some(touched) = self.leases.get(id) else { continue };
            match touched.state {
                State::Leased { .. } => {
                    let ack_id = AckId { message: id, lease: touched.lease };
                    expired.push(self.nack(ack_id, 0, now_ms));
                }
                State::Waiting { .. } => {
                    let (ordered, key) = (self.is_ordered(&touched.message), touched.message.key());
                    if ordered {
                        self.next_of_key(key, now_ms);
                    } else {
                        self.leases.set(id, State::Ready);
                        self.again.push_back(id);
                    }
                }
                State::Ready | State::Dying => {}
            }
        }
        expired
    }

    /// Takes back all leases of an owner that is gone; the attempts do not count.
    pub fn abandon(&mut self, owner: Owner, now_ms: u64) {
        let held = |state: State| matches!(state, State::Leased { owner: o, .. } if o == owner);
        let mut ids: Vec<u64> = self.leases.iter().filter(|t| held(t.state)).map(|t| t.message.id()).collect();
        ids.sort_unstable();
        for id in ids {
            let Some(touched) = self.leases.get(id).filter(|t| held(t.state)) else { continue };
            let (message, state) = (Arc::clone(&touched.message), touched.state);
            self.end_lease(&message, state);
            self.leases.revoke(id, now_ms);
            self.again_after(&message, 0, now_ms);
        }
        self.flows.close(owner);
    }

    /// Drops messages published before `before_ms` that no subscriber has. Gives them.
    pub fn purge(&mut self, before_ms: u64, now_ms: u64) -> Vec<Arc<M>> {
        let old = |message: &M| message.publish_ms() < before_ms;
        let mut gone = Vec::new();
        let mut kept = VecDeque::new();
        while let Some(turn) = self.line.pop_front() {
            match turn {
                Turn::Fresh(message) if old(&message) => gone.push(message),
                Turn::Fresh(message) => {
                    // Publish times rise along the line: what follows is younger still, but for keys. Restored ones are below.
                    kept.push_back(Turn::Fresh(message));
                    break;
                }
                other @ (Turn::Restored(_) | Turn::Key(_)) => kept.push_back(other),
            }
        }
        while let Some(turn) = kept.pop_back() {
            self.line.push_front(turn);
        }
        self.len -= gone.len();
        let idle = |state: State| matches!(state, State::Waiting { .. } | State::Ready);
        let mut touched: Vec<u64> =
            self.leases.iter().filter(|t| idle(t.state) && old(&t.message)).map(|t| t.message.id()).collect();
        touched.sort_unstable();
        gone.extend(touched.into_iter().filter_map(|id| self.ack(id, now_ms)));
        let mut keys: Vec<u64> = self.keys.keys().copied().collect();
        // Each run alike: this order decides which key is given out first.
        keys.sort_unstable();
        for key in keys {
            while let Some(queue) = self.keys.get_mut(&key) {
                let Some(id) = queue.front().filter(|m| !queue.is_out() && old(m)).map(|m| m.id()) else { break };
                if self.leases.get(id).is_some_and(|t| t.state == State::Dying) {
                    break;
                }
                gone.extend(queue.remove(id));
                self.leases.remove(id);
                self.len -= 1;
                self.next_of_key(key, now_ms);
            }
        }
        gone
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

    /// Takes all messages out and ends all leases. Streams stay open.
    pub fn drain(&mut self) -> Vec<Arc<M>> {
        let all = self.messages().map(Arc::clone).collect();
        let emptied = std::mem::replace(self, Backlog::new(self.policy.clone(), self.leases.last()));
        self.flows = emptied.flows.emptied();
        all
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

    fn end_lease(&mut self, message: &M, state: State) {
        if let State::Leased { owner, .. } = state {
            self.flows.returned(owner, message.bytes());
        }
    }

    /// Puts a message whose lease ended back, and with it what was given out behind it in its key.
    fn again_after(&mut self, message: &Arc<M>, wait_ms: u64, now_ms: u64) {
        let id = message.id();
        let due_ms = now_ms.saturating_add(wait_ms).min(NEVER - 1);
        if self.is_ordered(message) {
            let key = message.key();
            let behind = self.keys.get_mut(&key).map(|queue| queue.take_back(id)).unwrap_or_default();
            for id in behind {
                self.revoke(id, now_ms);
            }
            self.leases.set(id, State::Waiting { due_ms });
            self.next_of_key(key, now_ms);
        } else if wait_ms == 0 {
            self.leases.set(id, State::Ready);
            self.again.push_back(id);
        } else {
            self.leases.set(id, State::Waiting { due_ms });
        }
    }

    fn revoke(&mut self, id: u64, now_ms: u64) {
        let Some(touched) = self.leases.get(id) else { return };
        let (message, state) = (Arc::clone(&touched.message), touched.state);
        if state == State::Dying {
            return;
        }
        self.end_lease(&message, state);
        self.leases.revoke(id, now_ms);
    }

    /// Puts a key in line if its first message may go.
    fn next_of_key(&mut self, key: u64, now_ms: u64) {
        let Some(queue) = self.keys.get_mut(&key) else { return };
        let Some(front) = queue.front() else {
            self.keys.remove(&key);
            return;
        };
        if queue.is_out() || queue.in_line {
            return;
        }
        match self.leases.get(front.id()).map(|t| t.state) {
            Some(State::Waiting { due_ms }) if due_ms > now_ms => {
                let id = front.id();
                self.leases.wake_at(due_ms, id);
            }
            Some(State::Dying) => {}
            _ => {
                queue.in_line = true;
                self.line.push_back(Turn::Key(key));
            }
        }
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
