//! Pull, ack, nack, and moving deadlines.

use delivery::{AckId, Nacked, Take, UNARY};

use super::SimulatedPubSub;
use super::limits;
use super::refusal::Refusal;
use super::subscription::Received;

impl SimulatedPubSub {
    /// Gives out up to `max_messages` of what is there; does not wait.
    ///
    /// # Errors
    /// No such subscription, a detached one, a number that is not positive.
    pub fn pull(&mut self, name: &str, max_messages: i32) -> Result<Vec<Received>, Refusal> {
        let now_ms = self.now_ms;
        let messages = usize::try_from(max_messages).ok().filter(|messages| *messages > 0);
        let messages = messages.ok_or_else(|| Refusal::invalid("a pull asks for at least one message"))?;
        if self.subscription(name)?.spec.detached {
            return Err(Refusal::precondition(format!("{name} is detached")));
        }
        self.pass(name);
        let Some(subscription) = self.subscriptions.get_mut(name) else { return Err(Refusal::not_found(name)) };
        let messages = messages.min(limits::PULL_MESSAGES);
        let doubled = subscription.doubles.len().min(messages);
        let mut received: Vec<Received> = subscription.doubles.drain(..doubled).collect();
        let deliveries = subscription.backlog.take(Take {
            messages: messages - doubled,
            bytes: limits::PUBLISH_BYTES,
            per_key: limits::PULL_MESSAGES_PER_KEY,
            now_ms,
            until_ms: now_ms + subscription.ack_deadline_ms(),
            owner: UNARY,
        });
        for delivery in deliveries {
            let one = Received {
                ack_id: delivery.ack_id.text(subscription.number),
                attempt: subscription.shown(delivery.attempt),
                message: delivery.message,
            };
            if self.fate.doubles() {
                if subscription.is_ordered(&one.message) {
                    // Right behind itself, or it would come behind its successors.
                    received.push(one.clone());
                } else {
                    subscription.doubles.push_back(one.clone());
                }
            }
            received.push(one);
        }
        self.fate.shuffle(&mut received, |one| subscription.is_ordered(&one.message));
        Ok(received)
    }

    /// Acks messages. An ack id that means nothing (any more) is passed over.
    ///
    /// # Errors
    /// No such subscription.
    pub fn acknowledge(&mut self, name: &str, ack_ids: &[String]) -> Result<(), Refusal> {
        let number = self.subscription(name)?.number;
        for ack_id in ack_ids.iter().filter_map(|text| AckId::parse(text, number)) {
            if !self.fate.loses() {
                self.done(name, ack_id.message);
            }
        }
        self.pass(name);
        Ok(())
    }

    /// Moves deadlines to so many seconds from now; 0 is a nack.
    ///
    /// # Errors
    /// No such subscription, or seconds outside 0..=600.
    pub fn modify_ack_deadline(&mut self, name: &str, ack_ids: &[String], seconds: i32) -> Result<(), Refusal> {
        let now_ms = self.now_ms;
        let most_s = *limits::ACK_DEADLINE_SECONDS.end();
        let seconds = u64::try_from(seconds).ok().filter(|_| seconds <= most_s);
        let seconds = seconds.ok_or_else(|| Refusal::invalid("a deadline is moved by 0 to 600 seconds"))?;
        let subscription = self.subscription(name)?;
        let number = subscription.number;
        let mut exhausted = Vec::new();
        for ack_id in ack_ids.iter().filter_map(|text| AckId::parse(text, number)) {
            if seconds > 0 {
                subscription.backlog.extend(ack_id, now_ms + seconds * 1_000, now_ms);
            } else if let Nacked::Exhausted(missed) = subscription.nack(ack_id, 0, now_ms) {
                exhausted.push(missed);
            }
        }
        for missed in exhausted {
            self.forward(name, &missed);
        }
        self.pass(name);
        Ok(())
    }
}
