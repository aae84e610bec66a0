//! How many requests a key may send: so many a second, and some more at once (GCRA, by `governor`).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::{Quota, RateLimiter};
use runtime::clock::Stopwatch;

use super::budget::{Budget, Exceeded};
use super::table::{Since, Table};
use super::token::Principal;

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, over a longer time.
    pub per_second: NonZeroU32,
    /// Requests at once, after a while without any.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A limit from numbers; 0 counts as 1.
    #[must_use]
    pub const fn new(per_second: u32, burst: u32) -> Self {
        const fn positive(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self { per_second: positive(per_second), burst: positive(burst) }
    }

    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

/// Who bears a token, as a number: subjects may be long, and what is counted is kept.
pub(crate) type Bearer = (u64, u64);

/// What makes numbers of subjects. Nobody outside knows it, so nobody can choose a subject with the number of another.
#[derive(Default)]
pub(crate) struct Seed(RandomState, RandomState);

impl Seed {
    pub(crate) fn bearer(&self, principal: &Principal) -> Bearer {
        (self.0.hash_one(principal.subject()), self.1.hash_one(principal.subject()))
    }
}

/// Counts requests by key.
pub(super) struct Limiter<K: Eq + Hash + Clone> {
    rate: Rate,
    limiter: RateLimiter<K, Table<K>, Since, StateInformationMiddleware>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    pub(super) fn new(rate: Rate) -> Self {
        let clock = Since(Stopwatch::start());
        Self { rate, limiter: RateLimiter::new(rate.quota(), Table::new(clock), clock) }
    }

    /// Counts one request: what is left after it, or that there is nothing left.
    pub(super) fn count(&self, key: &K) -> Result<Budget, Exceeded> {
        match self.limiter.check_key(key) {
            Ok(snapshot) => Ok(self.budget(&snapshot)),
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                Err(Exceeded { budget: self.left(0), wait })
            }
        }
    }

    fn budget(&self, snapshot: &StateSnapshot) -> Budget {
        self.left(snapshot.remaining_burst_capacity())
    }

    fn left(&self, remaining: u32) -> Budget {
        let limit = self.rate.burst.get();
        let missing = limit.saturating_sub(remaining);
        let reset = Duration::from_secs(1).mul_f64(f64::from(missing) / f64::from(self.rate.per_second.get()));
        Budget { limit, remaining, reset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_and_no_more_and_what_is_left_is_told() {
        let limiter = Limiter::new(Rate::new(1, 5));
        let left: Vec<u32> = (0..5).map(|_| limiter.count(&"a").unwrap().remaining).collect();
        assert_eq!(left, [4, 3, 2, 1, 0]);
        let exceeded = limiter.count(&"a").unwrap_err();
        assert!(exceeded.wait > Duration::ZERO && exceeded.wait <= Duration::from_secs(1), "{exceeded:?}");
        assert_eq!((exceeded.budget.limit, exceeded.budget.reset), (5, Duration::from_secs(5)));
        assert_eq!(limiter.count(&"b").unwrap().remaining, 4, "everybody has a budget of their own");
    }
}
