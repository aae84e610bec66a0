//! Messages of one ordering key.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Message;

/// The unacked messages of one key in publish order. Those with a subscriber are a prefix of the queue: nothing is
/// given out behind a message that is waiting.
#[derive(Debug)]
pub struct KeyQueue<M> {
    queue: VecDeque<Arc<M>>,
    out: usize,
    /// Whether the key stands in line for its next delivery.
    pub(crate) in_line: bool,
}

impl<M> Default for KeyQueue<M> {
    fn default() -> Self {
        KeyQueue { queue: VecDeque::new(), out: 0, in_line: false }
    }
}

impl<M: Message> KeyQueue<M> {
    pub fn push(&mut self, message: Arc<M>) {
        self.queue.push_back(message);
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn front(&self) -> Option<&Arc<M>> {
        self.queue.front()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<M>> {
        self.queue.iter()
    }

    /// Whether some are with a subscriber.
    pub fn is_out(&self) -> bool {
        self.out > 0
    }

    /// The next message to give out.
    pub fn peek_next(&self) -> Option<&Arc<M>> {
        self.queue.get(self.out)
    }

    /// Gives out the next message.
    pub fn lend_next(&mut self) {
        self.out += 1;
    }

    /// Takes a message out of the queue wherever it is.
    pub fn remove(&mut self, id: u64) -> Option<Arc<M>> {
        let at = self.position(id)?;
        if at < self.out {
            self.out -= 1;
        }
        self.queue.remove(at)
    }

    /// Takes back a message and everything given out behind it. Gives those behind it.
    pub fn take_back(&mut self, id: u64) -> Vec<u64> {
        let Some(at) = self.position(id).filter(|at| *at < self.out) else { return Vec::new() };
        let behind = self.queue.range(at + 1..self.out).map(|m| m.id()).collect();
        self.out = at;
        behind
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.queue.binary_search_by_key(&id, |m| m.id()).ok()
    }
}
