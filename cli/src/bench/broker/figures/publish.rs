//! Figures 2 and 3: publishes answered per second, to a topic with one subscription that keeps every message.

use runtime::clock::Stopwatch;

use super::pull::drain;
use crate::bench::broker::arrivals::Arrivals;
use crate::bench::broker::client::Shape;
use crate::bench::broker::quantity::Quantity;
use crate::bench::broker::side::Door;
use crate::bench::broker::turn::{Outcome, Settings, cpu_each, per_second};

/// One part in so many of a turn's time goes before it: just-in-time compilers want to be warm.
const WARM_UP_SHARE: u32 = 5;

/// Publishes for a fifth of a turn, then for the time of a turn or until there are enough messages. `rate` and `cpu` are what it measures.
///
/// # Errors
/// When a publish fails.
pub async fn turn(
    door: Door,
    shape: Shape,
    (rate, cpu): (Quantity, Quantity),
    settings: Settings,
) -> anyhow::Result<Outcome> {
    let client = door.connect().await?;
    let place = client.place(None).await?;
    let warm = client.publish(&place.topic, 0..settings.most, shape, Some(settings.time() / WARM_UP_SHARE)).await?;
    let (before, watch) = (door.cpu_us()?, Stopwatch::start());
    let count = client.publish(&place.topic, warm..warm + settings.most, shape, Some(settings.time())).await?;
    let (after, took) = (door.cpu_us()?, watch.elapsed());
    let mut values = vec![(rate, per_second(count, took))];
    values.extend(cpu_each(cpu, before, after, count));
    let awaited = if settings.count_all { warm + count } else { 0 };
    let arrivals = Arrivals::of(awaited);
    if awaited > 0 {
        drain(&client, &place.subscription, &arrivals, awaited).await?;
    }
    client.remove(place).await?;
    Ok(Outcome::of(&arrivals, awaited, values))
}
