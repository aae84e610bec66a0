//! Publish, also of dead letters.

use std::sync::Arc;

use delivery::{Missed, source_attributes};

use super::SimulatedPubSub;
use super::check;
use super::envelope::rfc3339;
use super::faults::Link;
use super::message::{self, Draft, Kept};
use super::refusal::Refusal;

impl SimulatedPubSub {
    /// Publishes all of `drafts` or none, and gives their ids in order.
    ///
    /// # Errors
    /// A limit that is broken, no such topic; `UNAVAILABLE` in a partition, or when the answer is lost: then the messages are
    /// published all the same.
    pub fn publish(&mut self, topic: &str, drafts: Vec<Draft>) -> Result<Vec<u64>, Refusal> {
        if self.fate.is_cut(Link::Publish, self.now_ms) {
            return Err(Refusal::unavailable("Pub/Sub is out of reach"));
        }
        check::name(topic, "topics")?;
        self.topic(topic)?;
        message::check(&drafts)?;
        let ids = self.accept(topic, drafts);
        if self.fate.loses() {
            return Err(Refusal::unavailable("the answer is lost"));
        }
        Ok(ids)
    }

    /// Fans checked messages out.
    fn accept(&mut self, topic: &str, drafts: Vec<Draft>) -> Vec<u64> {
        let mut ids = Vec::with_capacity(drafts.len());
        let mut pushed = Vec::new();
        for draft in drafts {
            self.last_id += 1;
            ids.push(self.last_id);
            let kept = Arc::new(Kept::new(self.last_id, self.now_ms, draft));
            for subscription in self.subscriptions.values_mut() {
                if subscription.spec.topic == topic && !subscription.spec.detached {
                    subscription.offer(&kept);
                }
            }
        }
        for (name, subscription) in &self.subscriptions {
            if subscription.spec.topic == topic && subscription.is_push() {
                pushed.push(name.clone());
            }
        }
        for name in pushed {
            self.fill_window(&name);
        }
        ids
    }

    /// Publishes a message that used up its attempts to the dead-letter topic, and goes on with its key.
    pub(super) fn forward(&mut self, name: &str, missed: &Missed<Kept>) {
        let now_ms = self.now_ms;
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        let topic = subscription.spec.dead_letter.as_ref().map(|policy| policy.topic.clone()).unwrap_or_default();
        let kept = &missed.message;
        if !self.topics.contains(&topic) {
            // Kept and tried again, as the service does.
            let wait_ms = super::push::BACKOFF.after(u32::from(missed.attempts));
            subscription.backlog.not_forwarded(kept.id, wait_ms, now_ms);
            return;
        }
        let source = source_attributes(name, missed.attempts, rfc3339(kept.publish_ms, "+00:00"));
        let mut letter = kept.draft.clone();
        letter.attributes.extend(source.map(|(key, value)| (key.to_owned(), value)));
        self.accept(&topic, vec![letter]);
        self.done(name, kept.id);
    }

    /// A message is acked or forwarded.
    pub(super) fn done(&mut self, name: &str, id: u64) {
        let now_ms = self.now_ms;
        let Some(topic) = self.subscriptions.get(name).map(|s| s.spec.topic.clone()) else { return };
        let keep = self.keeps_acked(&topic);
        if let Some(subscription) = self.subscriptions.get_mut(name) {
            subscription.ack(id, keep, now_ms);
        }
    }
}
