//! Unary pull.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use delivery::{Take, UNARY};

use crate::core::Core;
use crate::error::Refusal;
use crate::subscription::{Delivery, Subscription};
use crate::sync::stopped;
use crate::{limits, message};

/// A message as a subscriber gets it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) ack_id: String,
    /// The encoded `PubsubMessage`, with id and publish time.
    pub(crate) message: Bytes,
    /// 0 without a dead-letter policy.
    pub(crate) delivery_attempt: i32,
}

/// Gives out up to `max_messages`; waits a while for the first unless told to return at once.
pub(crate) async fn pull(
    core: &Arc<Core>,
    name: &str,
    max_messages: i32,
    return_immediately: bool,
) -> Result<Vec<Received>, Refusal> {
    let subscription = core.attached(name)?;
    subscription.check_has_subscribers()?;
    subscription.mark_used();
    let messages = usize::try_from(max_messages).ok().filter(|n| *n > 0);
    let messages = messages.ok_or_else(|| Refusal::invalid("max_messages must be positive"))?;
    let mut stopping = core.stopping.subscribe();
    let give_up_ms = core.clock.steady_ms() + if return_immediately { 0 } else { limits::PULL_WAIT_MS };
    loop {
        let mut woken = pin!(subscription.wake.notified());
        woken.as_mut().enable();
        let now_ms = core.clock.steady_ms();
        let turn = subscription.take(Take {
            messages: messages.min(limits::PULL_MESSAGES),
            bytes: limits::PULL_BYTES,
            per_key: limits::PULL_MESSAGES_PER_KEY,
            now_ms,
            until_ms: now_ms + subscription.terms().ack_deadline_ms,
            owner: UNARY,
        });
        core.forward(&subscription, turn.missed);
        if subscription.is_deleted() {
            return Err(Refusal::not_found("Subscription", name));
        }
        if !turn.deliveries.is_empty() || now_ms >= give_up_ms {
            return Ok(received(core, &subscription, turn.deliveries));
        }
        let until_ms = turn.next_due.map_or(give_up_ms, |due| due.min(give_up_ms));
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(core.clock.timer_at(until_ms)) => {}
            () = stopped(&mut stopping) => return Err(Refusal::unavailable("the broker is stopping")),
        }
    }
}

/// Reads the payloads of deliveries. One that cannot be read is left to its lease.
pub(crate) fn received(core: &Core, subscription: &Subscription, deliveries: Vec<Delivery>) -> Vec<Received> {
    let shown = subscription.terms().dead_letter.is_some();
    let read = |delivery: Delivery| {
        let stored = &delivery.message;
        let payload = core.payload(stored).inspect_err(|error| {
            tracing::error!(%error, message.id = stored.id, "a message cannot be read; it is tried again");
        });
        Some(Received {
            ack_id: delivery.ack_id.text(subscription.number),
            message: message::delivered(&payload.ok()?, stored.id, stored.publish_ms),
            delivery_attempt: if shown { i32::from(delivery.attempt) } else { 0 },
        })
    };
    deliveries.into_iter().filter_map(read).collect()
}
