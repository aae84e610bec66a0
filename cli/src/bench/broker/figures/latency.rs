//! Figure 6: from the moment a message was to be published to the moment the push handler has it, at a fixed rate.
//!
//! The schedule does not wait for anybody: a side that stalls delays the messages behind the stall, and their delay counts.

use std::time::Duration;

use runtime::clock::Stopwatch;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::push::Pushed;
use crate::bench::broker::quantity::Quantity;
use crate::bench::broker::side::Door;
use crate::bench::broker::turn::{Outcome, Settings};
use crate::bench::times::Times;

/// Between two messages.
const EVERY: Duration = Duration::from_millis(10);
/// Messages of one second.
const PER_SECOND: u64 = 100;

/// Publishes on schedule and looks at the arrivals.
///
/// # Errors
/// When a call fails.
pub async fn turn(door: Door, settings: Settings) -> anyhow::Result<Outcome> {
    let count = (PER_SECOND * settings.seconds).min(settings.most);
    let pushed = Pushed::open(&door, Duration::ZERO, settings).await?;
    let Pushed { client, place, arrivals, took: _, endpoint: _endpoint } = pushed;
    let begin = arrivals.watch().elapsed() + EVERY;
    let mut due = schedule(arrivals.watch(), begin, count)?;
    let mut publishes = JoinSet::new();
    while let Some(n) = due.recv().await {
        let (client, topic, number) = (client.clone(), place.topic.clone(), settings.warm_up + n);
        publishes.spawn(async move { client.request(&topic, number..number + 1).await });
    }
    while let Some(published) = publishes.join_next().await {
        published??;
    }
    let wanted = settings.warm_up + count;
    arrivals.wait(wanted).await;
    client.remove(place).await?;
    let mut times = Times::new()?;
    for (n, intended) in intended(begin, count) {
        if let Some(at) = arrivals.at(settings.warm_up + n) {
            times.record(at.saturating_sub(intended));
        }
    }
    let values = vec![(Quantity::LatencyP50, times.ms(0.5)), (Quantity::LatencyP99, times.ms(0.99))];
    Ok(Outcome::of(&arrivals, wanted, values))
}

/// When each message is to be published.
fn intended(begin: Duration, count: u64) -> impl Iterator<Item = (u64, Duration)> {
    (0..count).scan(begin, |due, n| {
        let now = *due;
        *due += EVERY;
        Some((n, now))
    })
}

/// Says each message's number when it is due: a thread's sleep is exact to some tens of microseconds, the async timer to a millisecond.
fn schedule(watch: Stopwatch, begin: Duration, count: u64) -> anyhow::Result<UnboundedReceiver<u64>> {
    let (say, due) = unbounded_channel();
    std::thread::Builder::new().name("bench-schedule".to_owned()).spawn(move || {
        for (n, intended) in intended(begin, count) {
            std::thread::sleep(intended.saturating_sub(watch.elapsed()));
            // Nobody listens after an error or an interruption.
            if say.send(n).is_err() {
                break;
            }
        }
    })?;
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_fixed_beforehand() {
        let due: Vec<_> = intended(Duration::from_millis(5), 3).collect();
        let ms = Duration::from_millis;
        assert_eq!(due, [(0, ms(5)), (1, ms(15)), (2, ms(25))]);
        assert_eq!(EVERY * u32::try_from(PER_SECOND).unwrap(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn nothing_is_due_before_its_time() {
        let watch = Stopwatch::start();
        let mut due = schedule(watch, Duration::ZERO, 3).unwrap();
        let mut said = Vec::new();
        while let Some(n) = due.recv().await {
            said.push(n);
        }
        assert_eq!(said, [0, 1, 2]);
        assert!(watch.elapsed() >= EVERY * 2);
    }
}
