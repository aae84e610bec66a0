//! Figure 8: resident memory of a side that was just started: idle, while a pull subscription holds messages that nobody has acked, and after
//! all of them were pulled and acked.

use std::time::Duration;

use super::pull::drain;
use crate::bench::broker::arrivals::Arrivals;
use crate::bench::broker::client::BATCHES;
use crate::bench::broker::quantity::Quantity;
use crate::bench::broker::side::Door;
use crate::bench::broker::turn::{Outcome, Settings};

/// Time to come to rest before memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// Looks three times.
///
/// # Errors
/// When a call fails or the process is gone.
pub async fn turn(door: Door, settings: Settings) -> anyhow::Result<Outcome> {
    let mut values = Vec::new();
    look(&door, Quantity::IdleMemory, &mut values).await?;
    let client = door.connect().await?;
    let place = client.place(None).await?;
    let arrivals = Arrivals::of(settings.messages);
    client.publish(&place.topic, 0..settings.messages, BATCHES, None).await?;
    look(&door, Quantity::HeldMemory, &mut values).await?;
    drain(&client, &place.subscription, &arrivals, settings.messages).await?;
    look(&door, Quantity::AckedMemory, &mut values).await?;
    client.remove(place).await?;
    Ok(Outcome::of(&arrivals, settings.messages, values))
}

async fn look(door: &Door, quantity: Quantity, values: &mut Vec<(Quantity, f64)>) -> anyhow::Result<()> {
    tokio::time::sleep(REST).await;
    values.extend(door.resident_mb()?.map(|mb| (quantity, mb)));
    Ok(())
}
