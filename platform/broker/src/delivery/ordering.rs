//! Messages of one ordering key.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::log::Stored;

/// The unacked messages of one key in publish order. Those with a subscriber are a prefix of the queue: nothing is
/// given out behind a message that is waiting.
#[derive(Debug, Default)]
pub(crate) struct KeyQueue {
    queue: VecDeque<Arc<Stored>>,
    out: usize,
    /// Whether the key stands in line for its next delivery.
    pub(crate) in_line: bool,
}

impl KeyQueue {
    pub(crate) fn push(&mut self, message: Arc<Stored>) {
        self.queue.push_back(message);
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn front(&self) -> Option<&Arc<Stored>> {
        self.queue.front()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Stored>> {
        self.queue.iter()
    }

    /// Whether some are with a subscriber.
    pub(crate) fn is_out(&self) -> bool {
        self.out > 0
    }

    /// The next message to give out.
    pub(crate) fn peek_next(&self) -> Option<&Arc<Stored>> {
        self.queue.get(self.out)
    }

    /// Gives out the next message.
    pub(crate) fn lend_next(&mut self) {
        self.out += 1;
    }

    /// Takes a message out of the queue wherever it is.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Arc<Stored>> {
        let at = self.position(id)?;
        if at < self.out {
            self.out -= 1;
        }
        self.queue.remove(at)
    }

    /// Takes back a message and everything given out behind it. Gives those behind it.
    pub(crate) fn take_back(&mut self, id: u64) -> Vec<u64> {
        let Some(at) = self.position(id).filter(|at| *at < self.out) else { return Vec::new() };
        let behind = self.queue.range(at + 1..self.out).map(|m| m.id).collect();
        self.out = at;
        behind
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.queue.binary_search_by_key(&id, |m| m.id).ok()
    }
}
