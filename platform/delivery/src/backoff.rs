//! How long to wait after a failure.

/// Doubling waits between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, in milliseconds.
    pub min_ms: u64,
    /// The longest wait, in milliseconds.
    pub max_ms: u64,
}

impl Backoff {
    /// The wait after the `failures`-th failure in a row, counted from 1.
    pub fn after(self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(40);
        self.min_ms.saturating_mul(1 << doublings).min(self.max_ms).max(self.min_ms)
    }
}

/// A subscription's retry policy: none means again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryPolicy(pub Option<Backoff>);

impl RetryPolicy {
    /// The wait before the delivery after `attempts` failed ones.
    pub fn after(self, attempts: u16) -> u64 {
        self.0.map_or(0, |backoff| backoff.after(u32::from(attempts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_from_the_lower_to_the_upper_bound() {
        let backoff = Backoff { min_ms: 100, max_ms: 60_000 };
        assert_eq!([0, 1, 2, 3, 10, 11, 500].map(|n| backoff.after(n)), [100, 100, 200, 400, 51_200, 60_000, 60_000]);
        assert_eq!(RetryPolicy(None).after(9), 0);
    }

    proptest! {
        #[test]
        fn waits_never_leave_their_bounds_and_never_shrink(min_ms in 0u64..700_000, more in 0u64..700_000, n in any::<u32>()) {
            let backoff = Backoff { min_ms, max_ms: min_ms + more };
            prop_assert!((min_ms..=min_ms + more).contains(&backoff.after(n)));
            prop_assert!(backoff.after(n.saturating_add(1)) >= backoff.after(n));
        }
    }
}
