//! Messages that were delivered at least once: leased, waiting for their next turn, or on their way to a dead letter.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::Message;
use crate::flow::Owner;

/// A deadline that does not come: the HTTP timeout ends a push's lease, not the clock.
pub const NEVER: u64 = u64::MAX;

/// Names one delivery of one message. Its text is what a subscriber acks with; it survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckId {
    /// Id of the message.
    pub message: u64,
    /// Number of the lease.
    pub lease: u32,
}

impl AckId {
    /// The text given to subscribers of the subscription with this number.
    pub fn text(self, subscription: u32) -> String {
        format!("{subscription:x}-{:x}-{:x}", self.message, self.lease)
    }

    /// Reads an ack id of the subscription with this number.
    pub fn parse(text: &str, subscription: u32) -> Option<AckId> {
        let mut parts = text.split('-');
        let hex = |part: Option<&str>| u64::from_str_radix(part?, 16).ok();
        let (ours, message, lease) = (hex(parts.next())?, hex(parts.next())?, hex(parts.next())?);
        if parts.next().is_some() || ours != u64::from(subscription) {
            return None;
        }
        Some(AckId { message, lease: u32::try_from(lease).ok()? })
    }
}

/// Where a once-delivered message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// With a subscriber until the deadline.
    Leased { until_ms: u64, owner: Owner },
    /// Not before this time.
    Waiting { due_ms: u64 },
    /// In line for its next delivery.
    Ready,
    /// Being published to the dead-letter topic.
    Dying,
}

/// A once-delivered message.
#[derive(Debug)]
pub struct Touched<M> {
    pub message: Arc<M>,
    pub attempts: u16,
    pub lease: u32,
    pub state: State,
}

/// All once-delivered messages of a subscription and the times at which something happens to them.
#[derive(Debug)]
pub struct Leases<M> {
    touched: HashMap<u64, Touched<M>>,
    timers: BinaryHeap<Reverse<(u64, u64)>>,
    last_lease: u32,
}

impl<M: Message> Leases<M> {
    /// No leases; the first gets the number after `last`.
    pub fn from(last: u32) -> Leases<M> {
        Leases { touched: HashMap::new(), timers: BinaryHeap::new(), last_lease: last }
    }

    /// The number of the last lease.
    pub fn last(&self) -> u32 {
        self.last_lease
    }

    pub fn get(&self, id: u64) -> Option<&Touched<M>> {
        self.touched.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Touched<M>> {
        self.touched.values()
    }

    /// Leases a message to `owner`, counts the attempt, and gives the attempt's number and the lease's.
    pub fn lend(&mut self, message: &Arc<M>, until_ms: u64, owner: Owner) -> (u16, u32) {
        self.last_lease = self.last_lease.wrapping_add(1);
        let lease = self.last_lease;
        let id = message.id();
        let touched = self.touched.entry(id).or_insert_with(|| Touched {
            message: Arc::clone(message),
            attempts: 0,
            lease,
            state: State::Ready,
        });
        touched.attempts = touched.attempts.saturating_add(1);
        touched.lease = lease;
        touched.state = State::Leased { until_ms, owner };
        let attempts = touched.attempts;
        self.wake_at(until_ms, id);
        (attempts, lease)
    }

    /// Puts back what an earlier run of the broker knew of a message.
    pub fn restore(&mut self, message: &Arc<M>, attempts: u16) {
        let touched = Touched { message: Arc::clone(message), attempts, lease: 0, state: State::Ready };
        self.touched.insert(message.id(), touched);
    }

    pub fn remove(&mut self, id: u64) -> Option<Touched<M>> {
        self.touched.remove(&id)
    }

    /// Changes where a message is.
    pub fn set(&mut self, id: u64, state: State) {
        if let Some(touched) = self.touched.get_mut(&id) {
            touched.state = state;
        }
        if let State::Waiting { due_ms } = state {
            self.wake_at(due_ms, id);
        }
    }

    /// Ends a lease through no fault of the message, so that the attempt does not count.
    pub fn revoke(&mut self, id: u64, due_ms: u64) {
        if let Some(touched) = self.touched.get_mut(&id) {
            touched.attempts = touched.attempts.saturating_sub(1);
            touched.state = State::Waiting { due_ms };
        }
    }

    /// Moves a lease's deadline. A deadline that moves back needs a timer of its own.
    pub fn extend(&mut self, id: u64, until_ms: u64) {
        let Some(Touched { state: State::Leased { until_ms: old, .. }, .. }) = self.touched.get_mut(&id) else {
            return;
        };
        let earlier = until_ms < *old;
        *old = until_ms;
        if earlier {
            self.wake_at(until_ms, id);
        }
    }

    pub fn wake_at(&mut self, at_ms: u64, id: u64) {
        if at_ms == NEVER {
            return;
        }
        self.timers.push(Reverse((at_ms, id)));
        if self.timers.len() > 1_024 + 4 * self.touched.len() {
            // Most are of leases that ended early: one for each message is enough.
            let due = |t: &Touched<M>| match t.state {
                State::Leased { until_ms: NEVER, .. } | State::Ready | State::Dying => None,
                State::Leased { until_ms: at_ms, .. } | State::Waiting { due_ms: at_ms } => Some(at_ms),
            };
            self.timers = self.touched.iter().filter_map(|(id, t)| Some(Reverse((due(t)?, *id)))).collect();
        }
    }

    /// The next message whose lease is over or whose wait is over, one at a time.
    pub fn pop_due(&mut self, now_ms: u64) -> Option<u64> {
        while let Some(&Reverse((at_ms, id))) = self.timers.peek() {
            if at_ms > now_ms {
                return None;
            }
            self.timers.pop();
            let state = self.touched.get(&id).map(|t| t.state);
            if let Some(State::Leased { until_ms: at, .. } | State::Waiting { due_ms: at }) = state {
                if at <= now_ms {
                    return Some(id);
                }
                self.wake_at(at, id);
            }
        }
        None
    }

    #[cfg(test)]
    pub(crate) fn timers(&self) -> usize {
        self.timers.len()
    }

    /// When to look again. May be early, never late.
    pub fn next_due(&self) -> Option<u64> {
        self.timers.peek().map(|Reverse((at_ms, _))| *at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_id_is_read_back_and_only_by_its_subscription() {
        let id = AckId { message: 0x1234_5678_9abc_def0, lease: 7 };
        let text = id.text(19);
        assert_eq!(AckId::parse(&text, 19), Some(id));
        assert_eq!(AckId::parse(&text, 20), None);
        for bad in ["", "-", "13-1", "13-1-1-1", "13-x-1", "13-1-fffffffff", "é"] {
            assert_eq!(AckId::parse(bad, 19), None, "{bad}");
        }
    }
}
