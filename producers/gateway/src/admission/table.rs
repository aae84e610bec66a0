//! What is kept of each key that is counted: one time. The table is bounded, whoever asks.
//!
//! A key whose time has passed has its whole budget, which is what a key that is not in the table has: forgetting it changes nothing.
//! When the table is full of others, keys that are not in it share one budget; those in it go on as before.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::nanos::Nanos;
use governor::state::StateStore;
use runtime::clock::Stopwatch;

/// Keys in a table, at most: some 5 MB. Budgets are full again after seconds, so it takes tens of thousands of new addresses a second
/// to fill it.
const MAX_KEYS: usize = 65_536;
/// A full table is swept no more often than this: a sweep looks at all of it.
const SWEEP_EVERY: Nanos = Nanos::new(250_000_000);

/// Time since the limiter was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since(pub(super) Stopwatch);

impl Clock for Since {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}

/// The time of each key: when its budget is full again.
pub(super) struct Table<K> {
    rows: Mutex<Rows<K>>,
    clock: Since,
    most: usize,
}

struct Rows<K> {
    of: HashMap<K, Nanos>,
    strangers: Option<Nanos>,
    swept_at: Option<Nanos>,
}

impl<K> Table<K> {
    pub(super) fn new(clock: Since) -> Self {
        Self::of_size(clock, MAX_KEYS)
    }

    fn of_size(clock: Since, most: usize) -> Self {
        let rows = Mutex::new(Rows { of: HashMap::new(), strangers: None, swept_at: None });
        Self { rows, clock, most }
    }
}

impl<K: Eq + Hash> Rows<K> {
    fn sweep(&mut self, now: Nanos) {
        if self.swept_at.is_none_or(|at| now.saturating_sub(at) >= SWEEP_EVERY) {
            self.of.retain(|_, full_at| *full_at > now);
            self.swept_at = Some(now);
        }
    }
}

impl<K: Eq + Hash + Clone> StateStore for Table<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = rows.of.get_mut(key) {
            let (outcome, next) = measure(Some(*full_at))?;
            *full_at = next;
            return Ok(outcome);
        }
        if rows.of.len() >= self.most {
            rows.sweep(self.clock.now());
        }
        if rows.of.len() >= self.most {
            let (outcome, next) = measure(rows.strangers)?;
            rows.strangers = Some(next);
            return Ok(outcome);
        }
        let (outcome, next) = measure(None)?;
        rows.of.insert(key.clone(), next);
        Ok(outcome)
    }
}

/// The longest budget to come back: what [`Since`] can tell apart is far longer.
pub(super) fn seconds(nanos: Duration) -> u64 {
    nanos.as_secs() + u64::from(nanos.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one from a key whose budget is one a second and nothing more.
    fn take(table: &Table<u32>, key: u32, now_s: u64) -> bool {
        let now = Nanos::from(Duration::from_secs(now_s));
        let second = Nanos::from(Duration::from_secs(1));
        table
            .measure_and_replace(&key, |full_at| {
                if full_at.is_some_and(|full_at| full_at > now) { Err(()) } else { Ok(((), now + second)) }
            })
            .is_ok()
    }

    #[test]
    fn a_full_table_grows_no_more_and_strangers_share_one_budget() {
        let table = Table::of_size(Since(Stopwatch::start()), 3);
        for key in 0..3 {
            // Far in the future, so that nothing of it is swept.
            assert!(take(&table, key, 1_000_000));
        }
        assert!(take(&table, 3, 1_000_000), "the first stranger");
        for key in 4..1_000 {
            assert!(!take(&table, key, 1_000_000), "{key}");
        }
        assert_eq!(table.rows.lock().unwrap().of.len(), 3);
        assert!(take(&table, 1, 1_000_001), "who is known goes on");
    }

    #[test]
    fn a_budget_that_is_full_again_is_forgotten_to_make_room() {
        let table = Table::of_size(Since(Stopwatch::start()), 3);
        for key in 0..10 {
            // Full again before the table's clock was started.
            let kept = table.measure_and_replace(&key, |_| Ok::<_, ()>(((), Nanos::new(0))));
            assert!(kept.is_ok());
            table.rows.lock().unwrap().swept_at = None;
        }
        assert!(table.rows.lock().unwrap().of.len() <= 3);
        assert_eq!(table.rows.lock().unwrap().strangers, None);
    }
}
