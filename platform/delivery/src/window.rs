//! How many pushes of one subscription may be in flight.

/// Window of a push subscription that has not yet succeeded.
const START: usize = 4;

/// A window that doubles while full windows succeed and halves when pushes fail.
#[derive(Debug, Clone)]
pub struct Window {
    size: usize,
    max: usize,
    /// Successes since the window last grew by one, beyond the slow start.
    credit: usize,
    /// Up to here the window doubles per round, beyond it it grows by one per round.
    threshold: usize,
    /// Failures to ignore: they were in flight when the window last shrank.
    forgiven: usize,
}

impl Window {
    /// A window that starts small, or at its maximum when `fast`.
    pub fn new(max: usize, fast: bool) -> Window {
        let max = max.max(1);
        let size = if fast { max } else { START.min(max) };
        Window { size, max, credit: 0, threshold: max, forgiven: 0 }
    }

    /// Room for more when so many are in flight.
    pub fn room(&self, in_flight: usize) -> usize {
        self.size.saturating_sub(in_flight)
    }

    /// Whether so many in flight fill it.
    pub fn is_full(&self, in_flight: usize) -> bool {
        in_flight >= self.size
    }

    /// A push succeeded. A window that was not full when it ended does not grow.
    pub fn succeeded(&mut self, was_full: bool) {
        self.forgiven = self.forgiven.saturating_sub(1);
        if !was_full || self.size == self.max {
            return;
        }
        self.credit += 1;
        if self.size < self.threshold || self.credit >= self.size {
            self.size += 1;
            self.credit = 0;
        }
    }

    /// A push failed; `in_flight` counts it. One window of failures halves the window once, and says so once.
    pub fn failed(&mut self, in_flight: usize) -> bool {
        if self.forgiven > 0 {
            self.forgiven -= 1;
            return false;
        }
        self.size = (self.size / 2).max(1);
        self.threshold = self.size.max(self.max / 2);
        self.credit = 0;
        self.forgiven = in_flight.saturating_sub(1);
        true
    }

    /// Whether it cannot get smaller.
    pub fn is_closed(&self) -> bool {
        self.size == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A round: all in flight end at once and succeed.
    fn full_round(window: &mut Window) {
        let in_flight = window.room(0);
        let was_full = window.is_full(in_flight);
        for _ in 0..in_flight {
            window.succeeded(was_full);
        }
    }

    #[test]
    fn slow_start_reaches_128_in_five_rounds_even_when_a_round_ends_at_once() {
        let mut window = Window::new(128, false);
        let mut sizes = Vec::new();
        for _ in 0..6 {
            sizes.push(window.room(0));
            full_round(&mut window);
        }
        assert_eq!(sizes, [4, 8, 16, 32, 64, 128]);
    }

    #[test]
    fn slow_start_is_as_quick_when_pushes_end_one_by_one() {
        let mut window = Window::new(128, false);
        for _ in 0..124 {
            let in_flight = window.room(0);
            let was_full = window.is_full(in_flight);
            window.succeeded(was_full);
        }
        assert_eq!(window.room(0), 128);
    }

    #[test]
    fn an_idle_window_stays() {
        let mut window = Window::new(64, false);
        for _ in 0..100 {
            let was_full = window.is_full(1);
            window.succeeded(was_full);
        }
        assert_eq!(window.room(0), 4);
    }

    #[test]
    fn one_window_of_failures_halves_it_once() {
        let mut window = Window::new(64, true);
        let counted = (1..=64).rev().filter(|in_flight| window.failed(*in_flight)).count();
        assert_eq!((window.room(0), counted), (32, 1));
        window.failed(32);
        assert_eq!(window.room(0), 16);
    }

    #[test]
    fn after_a_failure_it_grows_slowly() {
        let mut window = Window::new(64, true);
        window.failed(1);
        full_round(&mut window);
        assert_eq!(window.room(0), 33);
    }

    #[test]
    fn after_an_outage_it_starts_slowly_again_up_to_half_its_maximum() {
        let mut window = Window::new(128, true);
        while !window.is_closed() {
            window.failed(1);
        }
        let mut sizes = Vec::new();
        for _ in 0..8 {
            sizes.push(window.room(0));
            full_round(&mut window);
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 65]);
    }

    proptest! {
        #[test]
        fn it_never_closes_fully_and_never_exceeds_its_maximum(
            max in 1usize..100, steps in proptest::collection::vec((any::<bool>(), 1usize..120), 0..500),
        ) {
            let mut window = Window::new(max, false);
            for (good, in_flight) in steps {
                if good { window.succeeded(window.is_full(in_flight)) } else { window.failed(in_flight); }
                prop_assert!((1..=max).contains(&window.room(0)));
            }
        }
    }
}
