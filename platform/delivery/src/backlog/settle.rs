//! How a delivery ends: acks, nacks, deadlines, and what they mean for the messages behind.

use std::sync::Arc;

use super::{Backlog, Missed, Nacked, Turn};
use crate::Message;
use crate::lease::{AckId, NEVER, State};

impl<M: Message> Backlog<M> {
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

    pub(super) fn end_lease(&mut self, message: &M, state: State) {
        if let State::Leased { owner, .. } = state {
            self.flows.returned(owner, message.bytes());
        }
    }

    /// Puts a message whose lease ended back, and with it what was given out behind it in its key.
    pub(super) fn again_after(&mut self, message: &Arc<M>, wait_ms: u64, now_ms: u64) {
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
    pub(super) fn next_of_key(&mut self, key: u64, now_ms: u64) {
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
