//! Push: a window of requests under way, each until its answer or its deadline.

use std::sync::Arc;

use delivery::{AckId, Backoff, NEVER, Nacked, PUSH, Take};

use super::SimulatedPubSub;
use super::agenda::Due;
use super::faults::Link;
use super::limits;
use super::message::Kept;

/// The service's waits after failed pushes.
pub(super) const BACKOFF: Backoff =
    Backoff { min_ms: limits::PUSH_BACKOFF_MIN_MS, max_ms: limits::PUSH_BACKOFF_MAX_MS };

/// The status codes that ack a push, and no others.
const ACKS: [u16; 5] = [102, 200, 201, 202, 204];

/// A push that has arrived at its endpoint.
#[derive(Debug, Clone)]
pub struct Push {
    /// For [`SimulatedPubSub::answer`]. A push that arrives twice has the same.
    pub id: u64,
    /// Full name of the subscription.
    pub subscription: String,
    /// Where it arrived.
    pub endpoint: String,
    /// What was pushed.
    pub message: Arc<Kept>,
    /// Number of this delivery, counted from 1; only with a dead-letter policy.
    pub attempt: Option<u16>,
}

/// A push without its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) subscription: String,
    pub(super) number: u32,
    ack_id: AckId,
    attempt: u16,
}

impl SimulatedPubSub {
    /// The endpoint's answer to a push. Without one, the ack deadline ends it. An answer may be lost, or come for a push that is
    /// over: then nothing happens.
    pub fn answer(&mut self, push: u64, status: u16) {
        if !self.fate.loses() {
            self.settle(push, ACKS.contains(&status));
        }
    }

    /// Sends what the window has room for.
    pub(super) fn fill_window(&mut self, name: &str) {
        let now_ms = self.now_ms;
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        if !subscription.is_push() || subscription.pace.paused_until(now_ms).is_some() {
            return;
        }
        subscription.purge(now_ms);
        let room = subscription.pace.room(subscription.in_flight, now_ms);
        let take = Take { messages: room, bytes: usize::MAX, per_key: 1, now_ms, until_ms: NEVER, owner: PUSH };
        for delivery in subscription.backlog.take(take) {
            self.last_push += 1;
            subscription.in_flight += 1;
            let push = Push {
                id: self.last_push,
                subscription: name.to_owned(),
                endpoint: subscription.spec.push_endpoint.clone(),
                attempt: subscription.shown(delivery.attempt),
                message: delivery.message,
            };
            let in_flight = InFlight {
                subscription: name.to_owned(),
                number: subscription.number,
                ack_id: delivery.ack_id,
                attempt: delivery.attempt,
            };
            self.pushes.insert(push.id, in_flight);
            let ordered = subscription.is_ordered(&push.message);
            let arrives_ms = now_ms + self.fate.travel_ms(ordered);
            if self.fate.doubles() {
                // With order right behind itself, or it would come behind its successors.
                let again_ms = if ordered { arrives_ms } else { now_ms + self.fate.travel_ms(false) };
                self.agenda.add(again_ms, subscription.number, Due::Arrival(push.clone()));
            }
            self.agenda.add(now_ms + subscription.ack_deadline_ms(), subscription.number, Due::Deadline(push.id));
            self.agenda.add(arrives_ms, subscription.number, Due::Arrival(push));
        }
    }

    /// A push reaches its endpoint, unless the link is cut: then it fails at once.
    pub(super) fn arrive(&mut self, push: Push) -> Option<Push> {
        if self.fate.is_cut(Link::Push, self.now_ms) {
            self.settle(push.id, false);
            return None;
        }
        Some(push)
    }

    /// A push is over.
    pub(super) fn settle(&mut self, push: u64, acked: bool) {
        let now_ms = self.now_ms;
        let Some(InFlight { subscription: name, number, ack_id, attempt }) = self.pushes.remove(&push) else { return };
        self.agenda.remove_deadline(push);
        let Some(subscription) = self.subscriptions.get_mut(&name).filter(|s| s.number == number) else { return };
        let in_flight = subscription.in_flight;
        subscription.in_flight = in_flight.saturating_sub(1);
        subscription.pace.settled([acked], in_flight, now_ms);
        if acked {
            self.done(&name, ack_id.message);
        } else {
            if let Some(at_ms) = subscription.pace.paused_until(now_ms) {
                self.agenda.add(at_ms, number, Due::Resume(name.clone()));
            }
            let nacked = subscription.nack(ack_id, BACKOFF.after(u32::from(attempt)), now_ms);
            if let Nacked::Exhausted(missed) = nacked {
                self.forward(&name, &missed);
            }
        }
        self.pass(&name);
    }

    /// Whatever is under way for this subscription is no more.
    pub(super) fn forget_pushes(&mut self, number: u32) {
        self.pushes.retain(|_, push| push.number != number);
        self.agenda.forget(number);
    }
}
