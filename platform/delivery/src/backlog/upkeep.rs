//! What time and the end of a subscriber do.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Backlog, Nacked, Turn};
use crate::Message;
use crate::flow::Owner;
use crate::lease::{AckId, State};

impl<M: Message> Backlog<M> {
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

    /// Takes all messages out and ends all leases. Streams stay open.
    pub fn drain(&mut self) -> Vec<Arc<M>> {
        let all = self.messages().map(Arc::clone).collect();
        let emptied = std::mem::replace(self, Backlog::new(self.policy.clone(), self.leases.last()));
        self.flows = emptied.flows.emptied();
        all
    }
}
