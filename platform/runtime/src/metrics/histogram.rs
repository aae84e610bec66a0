//! Times counted in fixed buckets: a bounded size, however many there are.

use std::sync::atomic::{AtomicU64, Ordering};

use ::metrics::HistogramFn;

/// Upper bounds of the buckets, in microseconds: from a call within one machine to the longest deadline of an order.
pub(super) const BOUNDS_US: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// The buckets of one line. The last one has no upper bound.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Buckets {
    /// Each bucket's own count, the unbounded one last.
    pub(super) fn counts(&self) -> [u64; BOUNDS_US.len() + 1] {
        std::array::from_fn(|index| self.counts[index].load(Ordering::Relaxed))
    }

    /// How many times there are.
    pub(super) fn count(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// Their sum, in microseconds.
    pub(super) fn sum_us(&self) -> u64 {
        self.sum_us.load(Ordering::Relaxed)
    }
}

impl HistogramFn for Buckets {
    /// `value` is in seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits before the cast")]
    fn record(&self, value: f64) {
        let us = (value * 1e6).round().clamp(0.0, 1e15) as u64;
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_holds_it() {
        let buckets = Buckets::default();
        for seconds in [0.0, 0.000_5, 0.000_501, 0.3, 99.0, -1.0, f64::NAN] {
            buckets.record(seconds);
        }
        let mut expected = [0; BOUNDS_US.len() + 1];
        expected[0] = 4;
        expected[1] = 1;
        expected[9] = 1;
        expected[14] = 1;
        assert_eq!((buckets.counts(), buckets.count()), (expected, 7));
        assert_eq!(buckets.sum_us(), 500 + 501 + 300_000 + 99_000_000);
    }
}
