//! Which of several addresses of a service a call goes to. Pure: time and chance come in as data.
//!
//! Each call goes to the less busy of two addresses drawn by lot, which spreads load nearly as well as asking all of them and never herds
//! everybody to the one that was least busy a moment ago. An address that fails several times in a row is put aside; after a while one
//! call tries it again.

/// Failures in a row after which an address is put aside.
const FAILURES: u32 = 3;
/// How long it is put aside the first time, in milliseconds; doubled each time it fails again.
const FIRST_ASIDE_MS: i64 = 1_000;
/// The longest time it is put aside, in milliseconds: a service that is back gets calls within a minute.
const LONGEST_ASIDE_MS: i64 = 60_000;
/// Addresses of one service, at most.
pub const MAX_ADDRESSES: usize = 16;

/// How one address does.
#[derive(Debug, Clone, Default, PartialEq)]
struct Health {
    under_way: u32,
    failures: u32,
    /// Since when it is out, until when, and whether a call is trying it.
    aside: Option<Aside>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Aside {
    until_ms: i64,
    /// How often it was put aside in a row.
    times: u32,
    tried: bool,
}

/// The addresses of one service, by number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Balance(Vec<Health>);

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The address answered.
    Answered,
    /// It did not, or said that it cannot.
    Failed,
    /// Nobody waited for the answer: that says nothing of the address.
    Abandoned,
}

impl Balance {
    /// `count` addresses of which nothing is known.
    pub(crate) fn of(count: usize) -> Self {
        Self(vec![Health::default(); count.max(1)])
    }

    /// Chooses an address for a call, one not in `tried` if there is any other; `draw` gives numbers from 0 to 1. Tell what became of it
    /// with [`Balance::end`].
    pub(crate) fn begin(&mut self, now_ms: i64, tried: &[usize], mut draw: impl FnMut() -> f64) -> usize {
        let open: Vec<usize> = (0..self.0.len()).filter(|index| !tried.contains(index)).collect();
        let open = if open.is_empty() { (0..self.0.len()).collect() } else { open };
        let chosen = match open.as_slice() {
            [only] => *only,
            _ => self.due(&open, now_ms).unwrap_or_else(|| self.less_busy(&open, &mut draw)),
        };
        let health = &mut self.0[chosen];
        health.under_way += 1;
        if let Some(aside) = &mut health.aside {
            aside.tried = true;
        }
        chosen
    }

    /// A call to `index` is over; `draw` is a number from 0 to 1.
    pub(crate) fn end(&mut self, index: usize, fate: Fate, now_ms: i64, draw: f64) {
        let health = &mut self.0[index];
        health.under_way = health.under_way.saturating_sub(1);
        match fate {
            Fate::Answered => {
                health.failures = 0;
                health.aside = None;
            }
            Fate::Failed => health.fail(now_ms, draw),
            Fate::Abandoned => {
                if let Some(aside) = &mut health.aside {
                    aside.tried = false;
                }
            }
        }
    }

    /// An address whose time aside is over and that nobody tries yet.
    fn due(&self, open: &[usize], now_ms: i64) -> Option<usize> {
        let is_due =
            |index: &&usize| self.0[**index].aside.is_some_and(|aside| aside.until_ms <= now_ms && !aside.tried);
        open.iter().find(is_due).copied()
    }

    fn less_busy(&self, open: &[usize], draw: &mut impl FnMut() -> f64) -> usize {
        let good: Vec<usize> = open.iter().copied().filter(|index| self.0[*index].aside.is_none()).collect();
        match good.as_slice() {
            // All are aside: the one that is back first. A call is never refused for want of a good address.
            [] => {
                let until = |index: &usize| self.0[*index].aside.map_or(0, |aside| aside.until_ms);
                open.iter().copied().min_by_key(until).expect("there is an address")
            }
            [only] => *only,
            several => {
                let first = lot(several.len(), draw());
                let second = (first + 1 + lot(several.len() - 1, draw())) % several.len();
                let (first, second) = (several[first], several[second]);
                if self.0[second].under_way < self.0[first].under_way { second } else { first }
            }
        }
    }
}

impl Health {
    /// Calls that were under way when it was put aside fail too; they do not count again.
    fn fail(&mut self, now_ms: i64, draw: f64) {
        self.failures += 1;
        let times = match self.aside {
            Some(aside) if aside.tried => aside.times + 1,
            None if self.failures >= FAILURES => 1,
            _ => return,
        };
        let doubled = FIRST_ASIDE_MS.saturating_mul(1 << (times - 1).min(16)).min(LONGEST_ASIDE_MS);
        // Half of it is by chance, so that many callers do not come back at once.
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most a minute")]
        let wait_ms = (doubled as f64 * (0.5 + draw / 2.0)) as i64;
        self.aside = Some(Aside { until_ms: now_ms + wait_ms, times, tried: false });
    }
}

/// A number below `count`.
fn lot(count: usize, draw: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "few")]
    let number = (draw * count as f64) as usize;
    number.min(count - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers that are as good as drawn, the same each time.
    fn dice() -> impl FnMut() -> f64 {
        let mut state = 7_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }

    fn fail(balance: &mut Balance, index: usize, now_ms: i64) {
        while balance.begin(now_ms, &(0..balance.0.len()).filter(|other| *other != index).collect::<Vec<_>>(), dice())
            != index
        {}
        balance.end(index, Fate::Failed, now_ms, 1.0);
    }

    #[test]
    fn calls_are_spread_and_the_busy_get_fewer() {
        let (mut balance, mut dice) = (Balance::of(4), dice());
        // Address 0 never finishes a call; the others do at once.
        let mut calls = [0_u32; 4];
        for _ in 0..4_000 {
            let index = balance.begin(0, &[], &mut dice);
            calls[index] += 1;
            if index != 0 {
                balance.end(index, Fate::Answered, 0, 0.0);
            }
        }
        assert!(calls[0] < 10, "{calls:?}");
        assert!(calls[1..].iter().all(|count| (1_000..1_700).contains(count)), "{calls:?}");
    }

    #[test]
    fn an_address_that_fails_is_put_aside_and_tried_again_by_one_call() {
        let (mut balance, mut dice) = (Balance::of(2), dice());
        for _ in 0..FAILURES {
            fail(&mut balance, 1, 0);
        }
        for _ in 0..100 {
            assert_eq!(balance.begin(999, &[], &mut dice), 0);
            balance.end(0, Fate::Answered, 999, 0.0);
        }
        assert_eq!(balance.begin(1_000, &[], &mut dice), 1, "its time is over");
        assert_eq!(balance.begin(1_000, &[], &mut dice), 0, "one call tries it");
        balance.end(1, Fate::Failed, 1_000, 1.0);
        assert_eq!(balance.begin(2_999, &[], &mut dice), 0, "twice as long");
        assert_eq!(balance.begin(3_000, &[], &mut dice), 1);
        balance.end(1, Fate::Abandoned, 3_000, 0.0);
        assert_eq!(balance.begin(3_000, &[], &mut dice), 1, "the last try told nothing");
        balance.end(1, Fate::Answered, 3_000, 0.0);
        assert_eq!(balance.0[1], Health::default());
    }

    #[test]
    fn failures_that_are_not_in_a_row_put_nobody_aside() {
        let mut balance = Balance::of(2);
        for _ in 0..10 {
            for _ in 1..FAILURES {
                fail(&mut balance, 0, 0);
            }
            balance.begin(0, &[1], dice());
            balance.end(0, Fate::Answered, 0, 0.0);
        }
        assert_eq!(balance.0[0].aside, None);
    }

    #[test]
    fn a_call_that_failed_goes_elsewhere_and_somewhere_when_all_fail() {
        let (mut balance, mut dice) = (Balance::of(3), dice());
        for _ in 0..50 {
            let index = balance.begin(0, &[0, 2], &mut dice);
            assert_eq!(index, 1);
            balance.end(index, Fate::Answered, 0, 0.0);
        }
        for index in [0, 1, 2] {
            for _ in 0..FAILURES {
                fail(&mut balance, index, i64::try_from(index).unwrap());
            }
        }
        assert_eq!(balance.begin(10, &[], &mut dice), 0, "the one that is back first");
    }

    proptest! {
        /// Whatever happens, an address is there, its time aside is bounded, and calls that ended are not counted as under way.
        #[test]
        fn nobody_is_lost(steps in prop::collection::vec((0_u8..4, 0.0_f64..=1.0, 0_i64..100_000), 1..400)) {
            let (mut balance, mut dice, mut now_ms) = (Balance::of(3), dice(), 0);
            let mut under_way = Vec::new();
            for (what, draw, wait_ms) in steps {
                now_ms += wait_ms;
                match (what, under_way.pop()) {
                    (1, Some(index)) => balance.end(index, Fate::Answered, now_ms, draw),
                    (2, Some(index)) => balance.end(index, Fate::Failed, now_ms, draw),
                    (3, Some(index)) => balance.end(index, Fate::Abandoned, now_ms, draw),
                    (_, popped) => {
                        under_way.extend(popped);
                        under_way.push(balance.begin(now_ms, &[], &mut dice));
                    }
                }
                let count: u32 = balance.0.iter().map(|health| health.under_way).sum();
                prop_assert_eq!(count as usize, under_way.len());
                for health in &balance.0 {
                    prop_assert!(health.aside.is_none_or(|aside| aside.until_ms <= now_ms + LONGEST_ASIDE_MS));
                }
            }
        }
    }
}
