//! Acknowledge, and move deadlines.

use std::sync::Arc;

use delivery::AckId;
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::streaming_pull_response::{
    AcknowledgeConfirmation, ModifyAckDeadlineConfirmation,
};

use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::limits::{ACK_DEADLINE_SECONDS, ACK_IDS};
use crate::subscription::Subscription;

/// What became of ack ids. Without exactly-once delivery one that means nothing (any more) is passed over and counts as good.
#[derive(Default)]
struct Settled {
    good: Vec<String>,
    lost: Vec<String>,
}

/// Acks messages. Returns once the acks are written.
///
/// # Errors
/// With exactly-once delivery when a lease is lost; the other messages are acked.
pub(crate) fn acknowledge(core: &Arc<Core>, name: &str, ack_ids: Vec<String>) -> Result<(), Refusal> {
    let subscription = core.subscription(name)?;
    confirmed(ack(&subscription, ack_ids)?)
}

/// Moves deadlines; 0 seconds is a nack.
///
/// # Errors
/// As [`acknowledge`].
pub(crate) fn modify_ack_deadline(
    core: &Arc<Core>,
    name: &str,
    ack_ids: Vec<String>,
    seconds: i32,
) -> Result<(), Refusal> {
    let subscription = core.subscription(name)?;
    confirmed(deadline(core, &subscription, ack_ids, seconds)?)
}

/// The acks and deadlines that come in on a stream, and what to tell it with exactly-once delivery.
pub(crate) fn settle(
    core: &Arc<Core>,
    subscription: &Arc<Subscription>,
    request: pb::StreamingPullRequest,
) -> Result<(Option<AcknowledgeConfirmation>, Option<ModifyAckDeadlineConfirmation>), Refusal> {
    let (deadlines, seconds) = (request.modify_deadline_ack_ids, request.modify_deadline_seconds);
    if deadlines.len() != seconds.len() {
        return Err(Refusal::invalid("modify_deadline_seconds and modify_deadline_ack_ids must have one length"));
    }
    if deadlines.len() > ACK_IDS {
        return Err(Refusal::invalid(format!("a request has at most {ACK_IDS} ack ids")));
    }
    let mut acks = Settled::default();
    if !request.ack_ids.is_empty() {
        acks = ack(subscription, request.ack_ids)?;
    }
    let mut moved = Settled::default();
    let mut deadlines = deadlines.into_iter().zip(seconds).peekable();
    // Clients move many deadlines to one time.
    while let Some((first, seconds)) = deadlines.next() {
        let mut ack_ids = vec![first];
        while let Some((next, _)) = deadlines.next_if(|(_, s)| *s == seconds) {
            ack_ids.push(next);
        }
        let Settled { good, lost } = deadline(core, subscription, ack_ids, seconds)?;
        moved.good.extend(good);
        moved.lost.extend(lost);
    }
    if !subscription.terms().exactly_once() {
        return Ok((None, None));
    }
    let some = |settled: &Settled| !settled.good.is_empty() || !settled.lost.is_empty();
    let acked = some(&acks).then(|| AcknowledgeConfirmation {
        ack_ids: acks.good,
        invalid_ack_ids: acks.lost,
        ..Default::default()
    });
    let moved = some(&moved).then(|| ModifyAckDeadlineConfirmation {
        ack_ids: moved.good,
        invalid_ack_ids: moved.lost,
        ..Default::default()
    });
    Ok((acked, moved))
}

fn ack(subscription: &Subscription, ack_ids: Vec<String>) -> Result<Settled, Refusal> {
    let (known, mut settled) = parse(subscription, ack_ids)?;
    let unwritten = |error: std::io::Error| Refusal::unavailable(format!("the acks cannot be stored: {error}"));
    let ids = known.iter().map(|(_, ack_id)| *ack_id);
    if !subscription.terms().exactly_once() {
        subscription.ack(ids.map(|ack_id| ack_id.message)).map_err(unwritten)?;
        settled.good.extend(known.into_iter().map(|(text, _)| text));
        return Ok(settled);
    }
    let lost = subscription.ack_leased(ids).map_err(unwritten)?;
    for (text, ack_id) in known {
        if lost.contains(&ack_id) { settled.lost.push(text) } else { settled.good.push(text) }
    }
    Ok(settled)
}

fn deadline(
    core: &Arc<Core>,
    subscription: &Arc<Subscription>,
    ack_ids: Vec<String>,
    seconds: i32,
) -> Result<Settled, Refusal> {
    if !(0..=*ACK_DEADLINE_SECONDS.end()).contains(&seconds) {
        return Err(Refusal::invalid(format!(
            "Invalid ack deadline given: {seconds} s. It must be between 0 and {}",
            ACK_DEADLINE_SECONDS.end()
        )));
    }
    let (known, mut settled) = parse(subscription, ack_ids)?;
    let exactly_once = subscription.terms().exactly_once();
    let mut held = Vec::with_capacity(known.len());
    for (text, ack_id) in known {
        if exactly_once && !subscription.is_leased(ack_id) {
            settled.lost.push(text);
        } else {
            held.push(ack_id);
            settled.good.push(text);
        }
    }
    if seconds == 0 {
        core.forward(subscription, subscription.nack(held.into_iter().map(|ack_id| (ack_id, 0))));
    } else {
        subscription.extend(held, seconds);
    }
    Ok(settled)
}

/// Ack ids of this subscription; of others and of no sense it is said that they are lost.
fn parse(subscription: &Subscription, ack_ids: Vec<String>) -> Result<(Vec<(String, AckId)>, Settled), Refusal> {
    if ack_ids.len() > ACK_IDS {
        return Err(Refusal::invalid(format!("a request has at most {ACK_IDS} ack ids")));
    }
    let mut settled = Settled::default();
    let mut known = Vec::with_capacity(ack_ids.len());
    for text in ack_ids {
        match AckId::parse(&text, subscription.number) {
            Some(ack_id) => known.push((text, ack_id)),
            None => settled.lost.push(text),
        }
    }
    if !subscription.terms().exactly_once() {
        settled.good.append(&mut settled.lost);
    }
    Ok((known, settled))
}

/// The service's answer when leases were lost.
fn confirmed(settled: Settled) -> Result<(), Refusal> {
    if settled.lost.is_empty() {
        return Ok(());
    }
    let permanent = |ack_id| (ack_id, "PERMANENT_FAILURE_INVALID_ACK_ID".to_owned());
    Err(Refusal {
        details: settled.lost.into_iter().map(permanent).collect(),
        ..Refusal::new(
            Code::InvalidArgument,
            "Some acknowledgement ids in the request were invalid: their deadlines have expired, or they are malformed",
        )
    })
}
