//! Acknowledge, and move deadlines.

use std::sync::Arc;

use delivery::AckId;

use crate::core::Core;
use crate::error::Refusal;
use crate::limits::{ACK_DEADLINE_SECONDS, ACK_IDS};
use crate::subscription::Subscription;

/// Acks messages. Returns once the acks are written. An ack id that means nothing (any more) is passed over.
pub(crate) fn acknowledge(core: &Core, name: &str, ack_ids: &[String]) -> Result<(), Refusal> {
    let subscription = core.subscription(name)?;
    ack(&subscription, &parse(&subscription, ack_ids)?)
}

/// Moves deadlines; 0 seconds is a nack.
pub(crate) fn modify_ack_deadline(
    core: &Arc<Core>,
    name: &str,
    ack_ids: &[String],
    seconds: i32,
) -> Result<(), Refusal> {
    let subscription = core.subscription(name)?;
    deadline(core, &subscription, &parse(&subscription, ack_ids)?, seconds)
}

/// The acks and deadlines that come in on a stream.
pub(crate) fn settle(
    core: &Arc<Core>,
    subscription: &Arc<Subscription>,
    acks: &[String],
    deadlines: &[String],
    seconds: &[i32],
) -> Result<(), Refusal> {
    if deadlines.len() != seconds.len() {
        return Err(Refusal::invalid("modify_deadline_seconds and modify_deadline_ack_ids must have one length"));
    }
    if !acks.is_empty() {
        ack(subscription, &parse(subscription, acks)?)?;
    }
    for (ack_id, seconds) in parse(subscription, deadlines)?.into_iter().zip(seconds) {
        deadline(core, subscription, &[ack_id], *seconds)?;
    }
    Ok(())
}

fn ack(subscription: &Subscription, ack_ids: &[Option<AckId>]) -> Result<(), Refusal> {
    let ids = ack_ids.iter().flatten().map(|ack_id| ack_id.message);
    subscription.ack(ids).map_err(|error| Refusal::unavailable(format!("the acks cannot be stored: {error}")))
}

fn deadline(
    core: &Arc<Core>,
    subscription: &Arc<Subscription>,
    ack_ids: &[Option<AckId>],
    seconds: i32,
) -> Result<(), Refusal> {
    if !(0..=*ACK_DEADLINE_SECONDS.end()).contains(&seconds) {
        return Err(Refusal::invalid(format!(
            "Invalid ack deadline given: {seconds} s. It must be between 0 and {}",
            ACK_DEADLINE_SECONDS.end()
        )));
    }
    let ack_ids = ack_ids.iter().flatten().copied();
    if seconds == 0 {
        core.forward(subscription, subscription.nack(ack_ids.map(|ack_id| (ack_id, 0))));
    } else {
        subscription.extend(ack_ids, seconds);
    }
    Ok(())
}

/// Reads ack ids. One of another subscription or of no sense is passed over, as the service does.
fn parse(subscription: &Subscription, ack_ids: &[String]) -> Result<Vec<Option<AckId>>, Refusal> {
    if ack_ids.len() > ACK_IDS {
        return Err(Refusal::invalid(format!("a request has at most {ACK_IDS} ack ids")));
    }
    Ok(ack_ids.iter().map(|text| AckId::parse(text, subscription.number)).collect())
}
