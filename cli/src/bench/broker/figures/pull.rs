//! Figure 7: messages received and acked per second on one streaming pull, from its opening to the last message's ack.

use std::time::Duration;

use anyhow::Context;
use futures::channel::mpsc;
use google_cloud_googleapis::pubsub::v1::{ReceivedMessage, StreamingPullRequest};

use crate::bench::broker::arrivals::{Arrivals, STUCK_AFTER};
use crate::bench::broker::client::{BATCHES, Client};
use crate::bench::broker::message;
use crate::bench::broker::quantity::Quantity;
use crate::bench::broker::side::Door;
use crate::bench::broker::turn::{Outcome, Settings, per_second};

/// Messages out on the stream at once: what Google's client libraries set.
const OUTSTANDING: i64 = 1_000;
/// Seconds a message may be out.
const DEADLINE_SECONDS: i32 = 600;
/// How long the end of a stream is waited for after its last ack.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Publishes the warm-up and drains it, then as many messages as it says will fill the turn.
///
/// # Errors
/// When a call fails.
pub async fn turn(door: Door, settings: Settings) -> anyhow::Result<Outcome> {
    let client = door.connect().await?;
    let place = client.place(None).await?;
    let arrivals = Arrivals::of(settings.warm_up + settings.most);
    client.publish(&place.topic, 0..settings.warm_up, BATCHES, None).await?;
    let took = drain(&client, &place.subscription, &arrivals, settings.warm_up).await?;
    let count = settings.fill(settings.warm_up, took);
    let wanted = settings.warm_up + count;
    client.publish(&place.topic, settings.warm_up..wanted, BATCHES, None).await?;
    let took = drain(&client, &place.subscription, &arrivals, wanted).await?;
    client.remove(place).await?;
    let arrived = arrivals.distinct().saturating_sub(settings.warm_up);
    Ok(Outcome::of(&arrivals, wanted, vec![(Quantity::Pull, per_second(arrived, took))]))
}

/// Receives and acks on a new stream until so many messages have arrived in all, or none does any more. Answers how long that took; then
/// lets the side read the last acks.
///
/// # Errors
/// When the stream breaks.
pub async fn drain(client: &Client, subscription: &str, arrivals: &Arrivals, wanted: u64) -> anyhow::Result<Duration> {
    let begin = arrivals.watch().elapsed();
    let (requests, sent) = mpsc::unbounded();
    requests.unbounded_send(opening(subscription)).context("the stream is closed before it began")?;
    let answer = client.subscriber.clone().streaming_pull(sent).await.context("cannot open a streaming pull")?;
    let mut answers = answer.into_inner();
    while arrivals.distinct() < wanted {
        let Ok(answer) = tokio::time::timeout(STUCK_AFTER, answers.message()).await else { break };
        let answer = answer.context("the streaming pull broke")?.context("the streaming pull was ended")?;
        let ack_ids = answer.received_messages.into_iter().map(|received| take(received, arrivals)).collect();
        let request = StreamingPullRequest { ack_ids, ..Default::default() };
        requests.unbounded_send(request).context("the streaming pull is closed")?;
    }
    let took = arrivals.watch().elapsed().saturating_sub(begin);
    drop(requests);
    // A side may leave the stream open, or end it with any status: the acks are read by then.
    let _ = tokio::time::timeout(END_WITHIN, async { while let Ok(Some(_)) = answers.message().await {} }).await;
    Ok(took)
}

fn opening(subscription: &str) -> StreamingPullRequest {
    StreamingPullRequest {
        subscription: subscription.to_owned(),
        stream_ack_deadline_seconds: DEADLINE_SECONDS,
        max_outstanding_messages: OUTSTANDING,
        client_id: "boutique-bench".to_owned(),
        ..Default::default()
    }
}

/// Notes a message; its ack id.
fn take(received: ReceivedMessage, arrivals: &Arrivals) -> String {
    let attributes = received.message.map(|message| message.attributes).unwrap_or_default();
    if let Some(number) = attributes.get(message::NUMBERED).and_then(|text| message::number(text.as_bytes())) {
        arrivals.note(number);
    }
    received.ack_id
}
