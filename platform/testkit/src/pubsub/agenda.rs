//! What happens when: the events of the future, in order.

use std::collections::BTreeMap;

use super::push::Push;

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Due {
    /// A push reaches its endpoint.
    Arrival(Push),
    /// A push that is not answered by now has failed.
    Deadline(u64),
    /// The subscription of this name may push again.
    Resume(String),
}

/// Events by time; those of one time in the order they were added.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(u64, u64), (u32, Due)>,
    /// Where the deadline of a push is.
    deadlines: BTreeMap<u64, (u64, u64)>,
    last: u64,
}

impl Agenda {
    /// Something of the subscription with this number will happen.
    pub(super) fn add(&mut self, at_ms: u64, number: u32, due: Due) {
        self.last += 1;
        let place = (at_ms, self.last);
        if let Due::Deadline(push) = due {
            self.deadlines.insert(push, place);
        }
        self.entries.insert(place, (number, due));
    }

    pub(super) fn remove_deadline(&mut self, push: u64) {
        if let Some(place) = self.deadlines.remove(&push) {
            self.entries.remove(&place);
        }
    }

    /// Nothing of this subscription will happen.
    pub(super) fn forget(&mut self, number: u32) {
        self.entries.retain(|_, (of, _)| *of != number);
        let entries = &self.entries;
        self.deadlines.retain(|_, place| entries.contains_key(place));
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.entries.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    /// The next event, if its time has come.
    pub(super) fn pop(&mut self, now_ms: u64) -> Option<Due> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        let (_, due) = entry.remove();
        if let Due::Deadline(push) = &due {
            self.deadlines.remove(push);
        }
        Some(due)
    }
}
