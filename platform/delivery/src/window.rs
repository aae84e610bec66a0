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

    /// A push succeeded; `in_flight` counts it. An idle window does not grow.
    pub fn succeeded(&mut self, in_flight: usize) {
        self.forgiven = self.forgiven.saturating_sub(1);
        if in_flight < self.size || self.size == self.max {
            return;
        }
        self.credit += 1;
        if self.size < self.threshold || self.credit >= self.size {
            self.size += 1;
            self.credit = 0;
        }
    }

    /// A push failed; `in_flight` counts it. One window of failures halves the window once.
    pub fn failed(&mut self, in_flight: usize) {
        if self.forgiven > 0 {
            self.forgiven -= 1;
            return;
        }
        self.size = (self.size / 2).max(1);
        self.threshold = self.size.max(self.max / 2);
        self.credit = 0;
        self.forgiven = in_flight.saturating_sub(1);
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

    #[test]
    fn full_windows_of_success_double_it_and_an_idle_one_stays() {
        let mut window = Window::new(64, false);
        for _ in 0..4 {
            window.succeeded(window.room(0));
        }
        assert_eq!(window.room(0), 8);
        for _ in 0..100 {
            window.succeeded(1);
        }
        assert_eq!(window.room(0), 8);
    }

    #[test]
    fn one_window_of_failures_halves_it_once() {
        let mut window = Window::new(64, true);
        for in_flight in (1..=64).rev() {
            window.failed(in_flight);
        }
        assert_eq!(window.room(0), 32);
        window.failed(32);
        assert_eq!(window.room(0), 16);
    }

    #[test]
    fn after_a_failure_it_grows_slowly() {
        let mut window = Window::new(64, true);
        window.failed(1);
        for _ in 0..32 {
            window.succeeded(window.room(0));
        }
        assert_eq!(window.room(0), 33);
    }

    proptest! {
        #[test]
        fn it_never_closes_fully_and_never_exceeds_its_maximum(
            max in 1usize..100, steps in proptest::collection::vec((any::<bool>(), 1usize..120), 0..500),
        ) {
            let mut window = Window::new(max, false);
            for (good, in_flight) in steps {
                if good { window.succeeded(in_flight) } else { window.failed(in_flight) }
                prop_assert!((1..=max).contains(&window.room(0)));
            }
        }
    }
}
