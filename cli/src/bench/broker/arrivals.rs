//! Which messages arrived, and when: the books of one turn.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runtime::clock::Stopwatch;

/// Time of a message that has not arrived.
const NOT_YET: u64 = u64::MAX;
/// How often a waiting turn looks. The times are taken at arrival, so this adds to no figure.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// After so long without any arrival what is missing counts as lost.
pub const STUCK_AFTER: Duration = Duration::from_secs(30);

/// The arrivals of messages numbered from 0.
pub struct Arrivals {
    watch: Stopwatch,
    /// By number: microseconds of `watch` at the first arrival.
    first_us: Box<[AtomicU64]>,
    distinct: AtomicU64,
    again: AtomicU64,
}

impl Arrivals {
    /// None yet, of so many messages at most. Its clock starts.
    #[must_use]
    pub fn of(most: u64) -> Self {
        let first_us = (0..most).map(|_| AtomicU64::new(NOT_YET)).collect();
        Self { watch: Stopwatch::start(), first_us, distinct: AtomicU64::new(0), again: AtomicU64::new(0) }
    }

    /// Its clock.
    #[must_use]
    pub fn watch(&self) -> Stopwatch {
        self.watch
    }

    /// Message `number` arrived now. Numbers beyond the books are none of this turn's.
    pub fn note(&self, number: u64) {
        let Some(first_us) = usize::try_from(number).ok().and_then(|at| self.first_us.get(at)) else { return };
        let now_us = micros(self.watch.elapsed());
        match first_us.compare_exchange(NOT_YET, now_us, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => self.distinct.fetch_add(1, Ordering::AcqRel),
            Err(_) => self.again.fetch_add(1, Ordering::Relaxed),
        };
    }

    /// Messages that arrived, each counted once.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.distinct.load(Ordering::Acquire)
    }

    /// Arrivals beyond the first of a message.
    #[must_use]
    pub fn again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    /// When message `number` first arrived.
    #[must_use]
    pub fn at(&self, number: u64) -> Option<Duration> {
        let first_us = self.first_us.get(usize::try_from(number).ok()?)?.load(Ordering::Acquire);
        (first_us != NOT_YET).then(|| Duration::from_micros(first_us))
    }

    /// When the last of these arrived that did arrive.
    #[must_use]
    pub fn last(&self, numbers: Range<u64>) -> Option<Duration> {
        numbers.filter_map(|number| self.at(number)).max()
    }

    /// Waits until `wanted` messages have arrived, or nothing has for [`STUCK_AFTER`]. Answers how many are missing.
    pub async fn wait(&self, wanted: u64) -> u64 {
        let (mut seen, mut moved) = (self.distinct(), Stopwatch::start());
        while seen < wanted && moved.elapsed() < STUCK_AFTER {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.distinct();
            if now > seen {
                (seen, moved) = (now, Stopwatch::start());
            }
        }
        wanted.saturating_sub(seen)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(NOT_YET - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_however_often_it_arrives() {
        let arrivals = Arrivals::of(3);
        for number in [2, 0, 2, 2] {
            arrivals.note(number);
        }
        assert_eq!((arrivals.distinct(), arrivals.again()), (2, 2));
        assert!(arrivals.at(2) <= arrivals.at(0), "the first arrival is the one that is kept");
        assert_eq!((arrivals.at(1), arrivals.last(0..3)), (None, arrivals.at(0)));
    }

    #[test]
    fn a_number_beyond_the_books_is_no_arrival() {
        let arrivals = Arrivals::of(1);
        arrivals.note(1);
        arrivals.note(u64::MAX);
        assert_eq!((arrivals.distinct(), arrivals.again()), (0, 0));
    }

    #[tokio::test]
    async fn what_has_arrived_is_not_waited_for() {
        let arrivals = Arrivals::of(2);
        arrivals.note(0);
        arrivals.note(1);
        assert_eq!(arrivals.wait(2).await, 0);
    }
}
