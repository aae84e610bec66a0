//! How many calls may be repeated: a share of all calls, and a few a second besides. Pure; time comes in as data.
//!
//! An edge that fails half of its calls gets a tenth more of them from us, not twice as many: repeating what fails for want of capacity
//! makes the want worse.

/// Thousandths of a repetition: what the budget counts in.
const WHOLE: u64 = 1_000;

/// How much may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Repetitions for a hundred calls. 0..=100.
    pub percent: u32,
    /// Repetitions a second that are allowed besides, so that an edge with few calls is tried again, too.
    pub floor_per_s: u32,
    /// Repetitions that may be saved up for a burst.
    pub most: u32,
}

/// The repetitions left for one edge.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    settings: BudgetSettings,
    left: u64,
    since_ms: u64,
}

impl RetryBudget {
    /// A full budget.
    #[must_use]
    pub fn new(settings: BudgetSettings, now_ms: u64) -> Self {
        Self { settings, left: u64::from(settings.most) * WHOLE, since_ms: now_ms }
    }

    /// A call is made for the first time.
    pub fn earn(&mut self) {
        self.add(u64::from(self.settings.percent) * WHOLE / 100);
    }

    /// Takes one repetition out, if there is one.
    pub fn spend(&mut self, now_ms: u64) -> bool {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        self.since_ms = self.since_ms.max(now_ms);
        // A thousandth a millisecond is one a second.
        self.add(passed_ms.saturating_mul(u64::from(self.settings.floor_per_s)));
        let enough = self.left >= WHOLE;
        if enough {
            self.left -= WHOLE;
        }
        enough
    }

    /// Whole repetitions left, as of the last call.
    #[must_use]
    pub fn left(&self) -> u32 {
        u32::try_from(self.left / WHOLE).unwrap_or(u32::MAX)
    }

    fn add(&mut self, more: u64) {
        self.left = self.left.saturating_add(more).min(u64::from(self.settings.most) * WHOLE);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_tenth_call_may_be_repeated_once_the_savings_are_gone() {
        let mut budget = RetryBudget::new(BudgetSettings { percent: 10, floor_per_s: 0, most: 5 }, 0);
        let repeated = (0..100)
            .filter(|now_ms| {
                budget.earn();
                budget.spend(*now_ms)
            })
            .count();
        assert_eq!(repeated, 5 + 9, "what was saved up, and a tenth of what came after");
    }

    #[test]
    fn a_second_brings_the_floor_and_no_more_than_can_be_saved() {
        let mut budget = RetryBudget::new(BudgetSettings { percent: 0, floor_per_s: 2, most: 3 }, 0);
        assert_eq!((0..5).filter(|_| budget.spend(0)).count(), 3);
        assert_eq!((0..5).filter(|_| budget.spend(1_000)).count(), 2);
        assert_eq!((0..5).filter(|_| budget.spend(100_000)).count(), 3);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let mut budget = RetryBudget::new(BudgetSettings { percent: 0, floor_per_s: 1, most: 1 }, 10_000);
        assert!(budget.spend(10_000));
        assert!(!budget.spend(5_000));
        assert!(!budget.spend(10_500), "half a second since the latest time seen");
    }

    proptest! {
        #[test]
        fn repetitions_never_exceed_share_floor_and_savings(
            percent in 0u32..=100, floor_per_s in 0u32..5, most in 0u32..20,
            steps in prop::collection::vec((0u64..100, any::<bool>()), 1..500),
        ) {
            let mut budget = RetryBudget::new(BudgetSettings { percent, floor_per_s, most }, 0);
            let (mut now_ms, mut calls, mut repeated) = (0, 0, 0);
            for (later_ms, call) in steps {
                now_ms += later_ms;
                if call {
                    calls += 1;
                    budget.earn();
                } else if budget.spend(now_ms) {
                    repeated += 1;
                }
            }
            let allowed = u64::from(most) * WHOLE + calls * u64::from(percent) * 10 + now_ms * u64::from(floor_per_s);
            prop_assert!(repeated * WHOLE <= allowed, "{repeated} of {calls} calls in {now_ms} ms");
        }
    }
}
