//! What must hold of a subscription's events. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound::Excluded;

use super::journal::{Event, Name};

/// What arrived, by id.
pub(crate) fn delivered(events: &[Event]) -> HashMap<u64, Name> {
    let delivered = events.iter().filter_map(|event| match *event {
        Event::Delivered { id, name, .. } => Some((id, name)),
        Event::AckSent(_) | Event::AckAnswered(_) => None,
    });
    delivered.collect()
}

/// How many deliveries there were.
pub(crate) fn deliveries(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count()
}

/// Messages whose publish was answered and that did not arrive as what they were published.
pub(crate) fn lost(events: &[Event], owed: impl Iterator<Item = (u64, Name)>) -> Vec<(u64, Name)> {
    let delivered = delivered(events);
    owed.filter(|(id, name)| delivered.get(id) != Some(name)).collect()
}

/// Ids that are there more than once.
pub(crate) fn given_twice(published: &[(u64, Name)]) -> Vec<u64> {
    let mut seen = HashSet::new();
    published.iter().map(|(id, _)| *id).filter(|id| !seen.insert(*id)).collect()
}

/// Messages that arrived although they were asked for after their ack was answered.
pub(crate) fn came_back(events: &[Event]) -> Vec<u64> {
    let mut acked_at = HashMap::new();
    let mut back = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match *event {
            Event::AckAnswered(id) => {
                acked_at.entry(id).or_insert(at);
            }
            Event::Delivered { id, asked_at, .. } if acked_at.get(&id).is_some_and(|at| *at < asked_at) => {
                back.push(id);
            }
            Event::Delivered { .. } | Event::AckSent(_) => {}
        }
    }
    back
}

/// Where a key stands.
#[derive(Default)]
struct Key {
    /// Numbers below arrived.
    next: u64,
    /// The message that arrived last.
    last_id: u64,
    /// What arrived, and whether an ack of it was sent.
    arrived: BTreeMap<u64, bool>,
}

/// Messages of keys that arrived before one of a smaller number, or that went on past one that still had to come again.
pub(crate) fn out_of_order(events: &[Event]) -> Vec<String> {
    let mut keys: HashMap<u64, Key> = HashMap::new();
    let mut key_of: HashMap<u64, u64> = HashMap::new();
    let mut wrong = Vec::new();
    for event in events {
        match *event {
            Event::Delivered { id, name, .. } if name.has_key() => {
                key_of.insert(id, name.stream);
                let key = keys.entry(name.stream).or_default();
                if name.number > key.next {
                    wrong.push(format!("{name:?} came, but {} did not yet", key.next));
                }
                let mut between = key.arrived.range((Excluded(key.last_id), Excluded(id.max(key.last_id + 1))));
                if let Some((skipped, _)) = between.find(|(_, acked)| !**acked) {
                    wrong.push(format!("{name:?} with id {id} came, but {skipped} had to come again before it"));
                }
                key.next = key.next.max(name.number + 1);
                key.last_id = id;
                key.arrived.entry(id).or_insert(false);
            }
            Event::AckSent(id) => {
                let arrived = key_of.get(&id).and_then(|key| keys.get_mut(key)?.arrived.get_mut(&id));
                if let Some(acked) = arrived {
                    *acked = true;
                }
            }
            Event::Delivered { .. } | Event::AckAnswered(_) => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::journal::FIRST_KEY;
    use super::*;

    fn came(id: u64, number: u64, asked_at: usize) -> Event {
        Event::Delivered { id, name: Name { stream: FIRST_KEY, number }, asked_at }
    }

    #[test]
    fn what_did_not_come_and_what_came_back_is_found() {
        let name = |number| Name { stream: FIRST_KEY, number };
        let events = [came(10, 0, 0), Event::AckSent(10), Event::AckAnswered(10), came(10, 0, 2), came(10, 0, 3)];
        assert_eq!(came_back(&events), [10]);
        assert_eq!(lost(&events, [(10, name(0)), (11, name(1))].into_iter()), [(11, name(1))]);
        assert_eq!(lost(&events, [(10, name(1))].into_iter()).len(), 1);
        assert_eq!(given_twice(&[(10, name(0)), (10, name(1))]), [10]);
    }

    #[test]
    fn going_back_is_in_order_and_leaving_out_is_not() {
        let sent = |id| Event::AckSent(id);
        let good = [came(1, 0, 0), came(2, 1, 0), sent(1), came(2, 1, 0), sent(2), came(4, 2, 0)];
        assert!(out_of_order(&good).is_empty());
        // Published twice, as its first answer did not arrive.
        assert!(out_of_order(&[came(1, 0, 0), came(2, 0, 0), came(3, 1, 0)]).is_empty());
        assert_eq!(out_of_order(&[came(1, 0, 0), came(3, 2, 0)]).len(), 1);
        // Back to the first, and on to the third without the second.
        let skipping = [came(1, 0, 0), came(2, 1, 0), came(3, 2, 0), came(1, 0, 0), came(3, 2, 0)];
        assert_eq!(out_of_order(&skipping).len(), 1);
    }
}
