//! How much one turn measures, and what comes of it.

use std::time::Duration;

use serde::Serialize;

use super::arrivals::Arrivals;
use super::quantity::Quantity;
use crate::bench::numbers::{number, ratio};

/// How much to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Turns of each side.
    pub rounds: u32,
    /// Length of one turn, in seconds.
    pub seconds: u64,
    /// Messages published before anything is measured, in every turn.
    pub warm_up: u64,
    /// Messages of one turn, at most.
    pub most: u64,
    /// Messages held for the memory.
    pub messages: u64,
    /// Whether the messages of the publishing figures are pulled afterwards and counted as well.
    pub count_all: bool,
}

impl Settings {
    /// Length of one turn.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Messages that a turn measures when so many take about this long: enough to fill its time, within bounds.
    #[must_use]
    pub fn fill(&self, messages: u64, took: Duration) -> u64 {
        let per_second = ratio(number(messages), took.as_secs_f64());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped right here")]
        let count = (per_second * number(self.seconds)).clamp(1.0, number(self.most)) as u64;
        count.max(messages.min(self.most))
    }
}

/// What one turn of one side came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was measured.
    pub values: Vec<(Quantity, f64)>,
    /// Messages whose arrival was waited for.
    pub awaited: u64,
    /// Those that did not arrive.
    pub lost: u64,
    /// Arrivals beyond the first of a message.
    pub again: u64,
    /// The push was kept waiting by the publisher, so its figure is the publisher's.
    pub starved: bool,
}

impl Outcome {
    /// Of messages whose arrival was waited for.
    #[must_use]
    pub fn of(arrivals: &Arrivals, awaited: u64, values: Vec<(Quantity, f64)>) -> Self {
        let lost = awaited.saturating_sub(arrivals.distinct());
        Self { values, awaited, lost, again: arrivals.again(), starved: false }
    }
}

/// Messages per second.
#[must_use]
pub fn per_second(count: u64, took: Duration) -> f64 {
    ratio(number(count), took.as_secs_f64())
}

/// CPU per message in microseconds, where the process could be looked at.
#[must_use]
pub fn cpu_each(quantity: Quantity, before: Option<u64>, after: Option<u64>, count: u64) -> Option<(Quantity, f64)> {
    Some((quantity, ratio(number(after?.saturating_sub(before?)), number(count))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings =
        Settings { rounds: 1, seconds: 5, warm_up: 500, most: 10_000, messages: 1, count_all: false };

    #[test]
    fn a_turn_is_filled_within_its_bounds() {
        assert_eq!(SETTINGS.fill(500, Duration::from_secs(1)), 2_500);
        assert_eq!(SETTINGS.fill(500, Duration::from_millis(1)), 10_000);
        assert_eq!(SETTINGS.fill(500, Duration::from_secs(60)), 500, "never less than the warm-up");
    }

    #[test]
    fn what_did_not_arrive_is_lost() {
        let arrivals = Arrivals::of(3);
        arrivals.note(0);
        arrivals.note(0);
        let outcome = Outcome::of(&arrivals, 3, Vec::new());
        assert_eq!((outcome.awaited, outcome.lost, outcome.again), (3, 2, 1));
    }
}
