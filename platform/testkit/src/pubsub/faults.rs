//! What goes wrong, how often, and for how long.

use std::collections::BTreeMap;

use super::random::Random;

/// Chances in thousandths. [`Faults::default`] is a world without faults; it draws no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// The answer to a publish, a pull subscriber's ack, or a push's answer is lost on its way.
    pub lost: u32,
    /// A message is delivered a second time although nobody asked for it.
    pub twice: u32,
    /// A push arrives up to [`Faults::late_ms`] later.
    pub late: u32,
    /// The longest delay, in milliseconds.
    pub late_ms: u64,
    /// A message without order is overtaken by others.
    pub overtaken: u32,
    /// A link breaks, for up to [`Faults::cut_ms`]. Drawn per request on that link.
    pub cut: u32,
    /// The longest partition, in milliseconds.
    pub cut_ms: u64,
}

/// A way that can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// From publishers to Pub/Sub.
    Publish,
    /// From Pub/Sub to push endpoints.
    Push,
}

/// Decides what goes wrong.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) faults: Faults,
    pub(super) random: Random,
    /// Until when a link is cut.
    cuts: BTreeMap<Link, u64>,
}

impl Fate {
    pub(super) fn new(seed: u64) -> Fate {
        Fate { faults: Faults::default(), random: Random::from_seed(seed), cuts: BTreeMap::new() }
    }

    pub(super) fn cut(&mut self, link: Link, until_ms: u64) {
        self.cuts.insert(link, until_ms);
    }

    /// Whether a request on this link does not get through.
    pub(super) fn is_cut(&mut self, link: Link, now_ms: u64) -> bool {
        if self.cuts.get(&link).is_some_and(|until_ms| *until_ms > now_ms) {
            return true;
        }
        let breaks = self.random.chance(self.faults.cut);
        if breaks {
            let until_ms = now_ms + self.random.up_to(self.faults.cut_ms);
            self.cut(link, until_ms);
        }
        breaks
    }

    pub(super) fn loses(&mut self) -> bool {
        self.random.chance(self.faults.lost)
    }

    pub(super) fn doubles(&mut self) -> bool {
        self.random.chance(self.faults.twice)
    }

    /// How long a push is under way. Without order it may take longer than the one behind it.
    pub(super) fn travel_ms(&mut self, ordered: bool) -> u64 {
        let late = self.random.chance(self.faults.late);
        let late_ms = if late { self.random.up_to(self.faults.late_ms) } else { 0 };
        let overtaken = !ordered && self.random.chance(self.faults.overtaken);
        late_ms + if overtaken { self.random.up_to(OVERTAKEN_MS) } else { 0 }
    }

    /// Lets messages of one pull answer change places, where order is not promised.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T], ordered: impl Fn(&T) -> bool) {
        for at in 1..items.len() {
            if self.random.chance(self.faults.overtaken) && !ordered(&items[at]) && !ordered(&items[at - 1]) {
                items.swap(at - 1, at);
            }
        }
    }
}

/// The longest an overtaken push is held up, in milliseconds.
const OVERTAKEN_MS: u64 = 20;
