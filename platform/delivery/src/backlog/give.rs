//! Giving messages out: who is in line, who was here before, and the keys.

use std::sync::Arc;

use super::{Backlog, Delivery, Take, Turn};
use crate::Message;
use crate::lease::{AckId, State};

impl<M: Message> Backlog<M> {
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
}
