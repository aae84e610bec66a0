//! One subscription: its backlog, and what a seek needs to know of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use delivery::{AckId, Backlog, Filter, Nacked, Pace, Policy, RetryPolicy, parse_filter};

use super::limits;
use super::message::Kept;
use super::push::BACKOFF;
use super::spec::SubscriptionSpec;

/// A message given to a pull subscriber.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it is acked with.
    pub ack_id: String,
    /// The message.
    pub message: Arc<Kept>,
    /// Number of this delivery, counted from 1; only with a dead-letter policy.
    pub attempt: Option<u16>,
}

pub(super) struct Subscription {
    pub(super) number: u32,
    pub(super) spec: SubscriptionSpec,
    pub(super) filter: Option<Filter>,
    pub(super) backlog: Backlog<Kept>,
    /// What the backlog holds, by id.
    pub(super) unacked: BTreeMap<u64, Arc<Kept>>,
    /// Acked messages a seek may bring back.
    pub(super) acked: BTreeMap<u64, Arc<Kept>>,
    /// Deliveries that will happen a second time.
    pub(super) doubles: VecDeque<Received>,
    pub(super) pace: Pace,
    /// Pushes on their way.
    pub(super) in_flight: usize,
    next_purge_ms: u64,
}

impl Subscription {
    /// An empty one, of a checked spec.
    pub(super) fn new(number: u32, spec: SubscriptionSpec) -> Subscription {
        let policy =
            Policy { ordered: spec.ordered, retry: RetryPolicy(spec.retry), dead_letter: spec.dead_letter.clone() };
        Subscription {
            number,
            filter: if spec.filter.is_empty() { None } else { parse_filter(&spec.filter).ok() },
            spec,
            backlog: Backlog::new(policy, 0),
            unacked: BTreeMap::new(),
            acked: BTreeMap::new(),
            doubles: VecDeque::new(),
            pace: slow_start(),
            in_flight: 0,
            next_purge_ms: 0,
        }
    }

    /// Pushes begin as if there had been none.
    pub(super) fn start_anew(&mut self) {
        self.in_flight = 0;
        self.pace = slow_start();
    }

    pub(super) fn is_push(&self) -> bool {
        !self.spec.push_endpoint.is_empty() && !self.spec.detached
    }

    pub(super) fn ack_deadline_ms(&self) -> u64 {
        u64::try_from(self.spec.ack_deadline_s).unwrap_or(0) * 1_000
    }

    /// Whether order is promised for this message.
    pub(super) fn is_ordered(&self, message: &Kept) -> bool {
        self.spec.ordered && !message.draft.ordering_key.is_empty()
    }

    /// A published message comes in, if it passes the filter.
    pub(super) fn offer(&mut self, message: &Arc<Kept>) {
        let passes = self.filter.as_ref().is_none_or(|filter| {
            let attributes: Vec<_> =
                message.draft.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            filter.matches(&attributes)
        });
        if passes {
            self.unacked.insert(message.id, Arc::clone(message));
            self.backlog.insert(Arc::clone(message));
        }
    }

    /// A message is done; it is kept when a seek may want it.
    pub(super) fn ack(&mut self, id: u64, keep: bool, now_ms: u64) {
        if let Some(message) = self.backlog.ack(id, now_ms) {
            self.unacked.remove(&id);
            if keep || self.spec.retain_acked {
                self.acked.insert(id, message);
            }
        }
    }

    pub(super) fn nack(&mut self, ack_id: AckId, wait_ms: u64, now_ms: u64) -> Nacked<Kept> {
        self.backlog.nack(ack_id, wait_ms, now_ms)
    }

    /// Owes exactly these messages from now on, none of them delivered yet.
    pub(super) fn owe(&mut self, unacked: BTreeMap<u64, Arc<Kept>>) {
        self.backlog.drain();
        self.doubles.clear();
        for message in unacked.values() {
            self.backlog.insert(Arc::clone(message));
        }
        self.unacked = unacked;
    }

    /// Now and then, drops messages past their retention.
    pub(super) fn purge(&mut self, now_ms: u64) {
        if now_ms < self.next_purge_ms {
            return;
        }
        self.next_purge_ms = now_ms + limits::PURGE_MS;
        let before_ms = now_ms.saturating_sub(u64::try_from(self.spec.retention_s).unwrap_or(0) * 1_000);
        for message in self.backlog.purge(before_ms, now_ms) {
            self.unacked.remove(&message.id);
        }
        self.acked.retain(|_, message| message.publish_ms >= before_ms);
    }

    /// The attempt's number as subscribers see it.
    pub(super) fn shown(&self, attempt: u16) -> Option<u16> {
        self.spec.dead_letter.is_some().then_some(attempt)
    }
}

fn slow_start() -> Pace {
    Pace::new(limits::PUSH_WINDOW, false, BACKOFF)
}
