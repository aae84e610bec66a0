//! Many short times, and their quantiles.

use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;

use super::numbers::number;

/// A longer time counts as this one: no request of ours is waited for longer.
const LONGEST: Duration = Duration::from_secs(60);
/// Digits a time is exact to.
const DIGITS: u8 = 3;

/// A histogram of times, in microseconds.
#[derive(Debug)]
pub struct Times(Histogram<u64>);

impl Times {
    /// None yet.
    ///
    /// # Errors
    /// Never with the bounds above.
    pub fn new() -> anyhow::Result<Self> {
        let longest = micros(LONGEST);
        Ok(Self(Histogram::new_with_bounds(1, longest, DIGITS).context("the bounds of the histogram are wrong")?))
    }

    /// Adds one.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(micros(time));
    }

    /// Adds all of another part of the load.
    ///
    /// # Errors
    /// Never: all are of one kind.
    pub fn add(&mut self, other: &Times) -> anyhow::Result<()> {
        self.0.add(&other.0).context("the histograms differ in kind")
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// The time that a share of `quantile` (0..=1) does not exceed, in milliseconds; 0 for none.
    #[must_use]
    pub fn ms(&self, quantile: f64) -> f64 {
        number(self.0.value_at_quantile(quantile)) / 1_000.0
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_recorded_times() {
        let mut times = Times::new().unwrap();
        (1..=50).for_each(|ms| times.record(Duration::from_millis(ms)));
        let mut others = Times::new().unwrap();
        (51..=100).for_each(|ms| others.record(Duration::from_millis(ms)));
        times.add(&others).unwrap();
        assert_eq!(times.len(), 100);
        assert!((times.ms(0.5) - 50.0).abs() < 0.1, "{}", times.ms(0.5));
        assert!((times.ms(0.99) - 99.0).abs() < 0.1, "{}", times.ms(0.99));
        assert!((times.ms(1.0) - 100.0).abs() < 0.1, "{}", times.ms(1.0));
    }

    #[test]
    fn a_time_beyond_patience_counts_as_the_longest() {
        let mut times = Times::new().unwrap();
        times.record(Duration::from_secs(3_600));
        assert!((times.ms(1.0) - 60_000.0).abs() < 60.0, "{}", times.ms(1.0));
    }
}
