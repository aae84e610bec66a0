//! Trying again: bounded, with jittered exponential backoff. The one place that uses the `backoff` crate.

use std::future::Future;
use std::time::{Duration, Instant};

use backoff::backoff::Backoff;
use backoff::exponential::{ExponentialBackoff, ExponentialBackoffBuilder};

use crate::clock;

/// How often and how long to try again.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Wait before the second try; doubled from then on, each ±50 %.
    pub first_wait: Duration,
    /// The longest wait between two tries.
    pub last_wait: Duration,
    /// No try begins after this much time.
    pub give_up_after: Duration,
}

/// Calls `attempt` until it succeeds, fails for good (`again` says no), or the policy gives up.
///
/// # Errors
/// The last error.
pub async fn retry<T, E, F, Fut>(policy: Policy, again: impl Fn(&E) -> bool, mut attempt: F) -> Result<T, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    backoff::future::retry(jittered(policy), || {
        let tried = attempt();
        let again = &again;
        async move {
            tried.await.map_err(|error| {
                if again(&error) { backoff::Error::transient(error) } else { backoff::Error::permanent(error) }
            })
        }
    })
    .await
}

/// The waits of a policy one by one, for who decides by more than the error whether to try again.
pub struct Waits(Jittered);

impl Waits {
    /// From the first wait on.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(jittered(policy))
    }
}

impl Iterator for Waits {
    type Item = Duration;

    /// The next wait, until the policy gives up.
    fn next(&mut self) -> Option<Duration> {
        self.0.next_backoff()
    }
}

fn jittered(policy: Policy) -> Jittered {
    let mut waits = ExponentialBackoffBuilder::<OurClock>::new()
        .with_initial_interval(policy.first_wait)
        .with_max_interval(policy.last_wait)
        .with_multiplier(2.0)
        .with_randomization_factor(0.0)
        .with_max_elapsed_time(Some(policy.give_up_after))
        .build();
    // Built, it counts its time from the machine's clock; reset, from ours.
    waits.reset();
    Jittered(waits)
}

/// The time of [`clock`].
#[derive(Debug, Clone, Copy, Default)]
struct OurClock;

impl backoff::Clock for OurClock {
    fn now(&self) -> Instant {
        clock::instant()
    }
}

/// Spreads waits with the randomness of [`clock`], not the crate's own.
struct Jittered(ExponentialBackoff<OurClock>);

impl Backoff for Jittered {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn next_backoff(&mut self) -> Option<Duration> {
        self.0.next_backoff().map(|wait| wait.mul_f64(0.5 + clock::fraction()))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::simulation::{self, World};

    /// A world whose clock stands.
    struct Still(Instant);

    impl World for Still {
        fn now_ms(&self) -> i64 {
            0
        }

        fn instant(&self) -> Instant {
            self.0
        }

        fn random(&self) -> u128 {
            0
        }
    }

    #[test]
    fn the_time_of_a_policy_is_our_clock_s_from_its_first_wait_on() {
        let hour = Duration::from_secs(3_600);
        let now = clock::instant();
        let policy =
            Policy { first_wait: Duration::from_secs(1), last_wait: Duration::from_secs(1), give_up_after: hour / 2 };
        for at in [now.checked_sub(hour).unwrap(), now + hour] {
            let _inside = simulation::enter(Rc::new(Still(at)));
            assert_eq!(Waits::new(policy).next(), Some(Duration::from_millis(500)));
        }
    }
}
