//! Figures 4 and 5: messages that reach a push handler per second, from the first publish to the last arrival.
//!
//! The publisher works at the same time, in batches: as fast as it can, which must be faster than the push. When it took up most of the
//! time itself, the outcome says so.

use std::sync::Arc;
use std::time::Duration;

use crate::bench::broker::arrivals::Arrivals;
use crate::bench::broker::client::{BATCHES, Client, Place};
use crate::bench::broker::endpoint::Endpoint;
use crate::bench::broker::quantity::Quantity;
use crate::bench::broker::side::Door;
use crate::bench::broker::turn::{Outcome, Settings, cpu_each, per_second};

/// Share of the time beyond which a publisher that is still at work has kept the push waiting.
const STARVED_BEYOND: f64 = 0.8;

/// A push subscription whose connections and window are warm, and what it delivers.
pub struct Pushed {
    /// The way to the side.
    pub client: Client,
    /// Its topic and subscription.
    pub place: Place,
    /// What came in at the endpoint.
    pub arrivals: Arc<Arrivals>,
    /// How long the warm-up took.
    pub took: Duration,
    /// Where it is delivered to; listens until it is dropped.
    pub endpoint: Endpoint,
}

impl Pushed {
    /// Makes it, publishes the warm-up (messages from 0 on) and waits for its arrival.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn open(door: &Door, handling: Duration, settings: Settings) -> anyhow::Result<Self> {
        let arrivals = Arc::new(Arrivals::of(settings.warm_up + settings.most));
        let endpoint = Endpoint::open(Arc::clone(&arrivals), handling)?;
        let client = door.connect().await?;
        let place = client.place(Some(endpoint.url())).await?;
        let begin = arrivals.watch().elapsed();
        client.publish(&place.topic, 0..settings.warm_up, BATCHES, None).await?;
        arrivals.wait(settings.warm_up).await;
        let last = arrivals.last(0..settings.warm_up).unwrap_or_default();
        Ok(Self { client, place, arrivals, took: last.saturating_sub(begin), endpoint })
    }
}

/// Publishes as many messages as the warm-up says will fill the turn, and waits for all. `rate` is what it measures, `cpu` likewise.
///
/// # Errors
/// When a call fails.
pub async fn turn(
    door: Door,
    handling: Duration,
    (rate, cpu): (Quantity, Option<Quantity>),
    settings: Settings,
) -> anyhow::Result<Outcome> {
    let Pushed { client, place, arrivals, took, endpoint: _endpoint } = Pushed::open(&door, handling, settings).await?;
    let count = settings.fill(settings.warm_up, took);
    let wanted = settings.warm_up + count;
    let (before, begin) = (door.cpu_us()?, arrivals.watch().elapsed());
    client.publish(&place.topic, settings.warm_up..wanted, BATCHES, None).await?;
    let published = arrivals.watch().elapsed().saturating_sub(begin);
    let lost = arrivals.wait(wanted).await;
    let after = door.cpu_us()?;
    let took = arrivals.last(settings.warm_up..wanted).unwrap_or_default().saturating_sub(begin);
    client.remove(place).await?;
    let mut values = vec![(rate, per_second(count.saturating_sub(lost), took))];
    values.extend(cpu.and_then(|cpu| cpu_each(cpu, before, after, count)));
    let starved = published.as_secs_f64() > took.as_secs_f64() * STARVED_BEYOND;
    Ok(Outcome { starved, ..Outcome::of(&arrivals, wanted, values) })
}
