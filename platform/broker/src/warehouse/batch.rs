//! Messages on their way to a table together.

use std::collections::HashMap;
use std::sync::Arc;

use delivery::AckId;

use super::door::{BadRow, Row};
use crate::log::Stored;

/// A message that was taken from the backlog.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) message: Arc<Stored>,
    pub(super) ack_id: AckId,
    pub(super) attempt: u16,
}

/// A message that makes no row, and why.
#[derive(Debug)]
pub(super) struct BadItem {
    pub(super) item: Item,
    pub(super) reason: String,
}

/// Messages with their rows, in the order in which these are to stand.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// One per item.
    pub(super) rows: Vec<Row>,
}

impl Batch {
    pub(super) fn push(&mut self, item: Item, row: Row) {
        self.items.push(item);
        self.rows.push(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes out what a warehouse refused.
    pub(super) fn remove(&mut self, bad: Vec<BadRow>) -> Vec<BadItem> {
        let mut reasons: HashMap<usize, String> = bad.into_iter().map(|bad| (bad.index, bad.reason)).collect();
        let mut out = Vec::new();
        let all = std::mem::take(self);
        for (i, (item, row)) in all.items.into_iter().zip(all.rows).enumerate() {
            match reasons.remove(&i) {
                Some(reason) => out.push(BadItem { item, reason }),
                None => self.push(item, row),
            }
        }
        out
    }

    /// Leaves out messages that must wait for an earlier one of their key. `held` has the id of that one by key.
    pub(super) fn hold_back(&mut self, held: &HashMap<u64, u64>) {
        let all = std::mem::take(self);
        for (item, row) in all.items.into_iter().zip(all.rows) {
            if held.get(&item.message.key).is_none_or(|first| item.message.id < *first) {
                self.push(item, row);
            }
        }
    }
}
