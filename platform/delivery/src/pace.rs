//! How fast one push subscription goes: how many pushes at a time, and none for a while when all fail.

use crate::backoff::Backoff;
use crate::window::Window;

/// A window, and the pause once the window cannot get smaller.
#[derive(Debug, Clone)]
pub struct Pace {
    window: Window,
    backoff: Backoff,
    /// Failures since the last success that found the window closed.
    failures: u32,
    paused_until_ms: u64,
}

impl Pace {
    /// Up to `max` at a time, from the start when `fast`.
    pub fn new(max: usize, fast: bool, backoff: Backoff) -> Pace {
        Pace { window: Window::new(max, fast), backoff, failures: 0, paused_until_ms: 0 }
    }

    /// When the pause ends, if there is one.
    pub fn paused_until(&self, now_ms: u64) -> Option<u64> {
        (now_ms < self.paused_until_ms).then_some(self.paused_until_ms)
    }

    /// How many more may go when so many are in flight.
    pub fn room(&self, in_flight: usize, now_ms: u64) -> usize {
        if self.paused_until(now_ms).is_some() { 0 } else { self.window.room(in_flight) }
    }

    /// Pushes ended together, each well or not, out of `in_flight`.
    pub fn settled(&mut self, acked: impl IntoIterator<Item = bool>, in_flight: usize, now_ms: u64) {
        let was_full = self.window.is_full(in_flight);
        for (i, acked) in acked.into_iter().enumerate() {
            if acked {
                self.failures = 0;
                self.paused_until_ms = 0;
                self.window.succeeded(was_full);
            } else if self.window.failed(in_flight.saturating_sub(i)) && self.window.is_closed() {
                self.failures = self.failures.saturating_add(1);
                self.paused_until_ms = now_ms + self.backoff.after(self.failures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { min_ms: 100, max_ms: 60_000 };

    #[test]
    fn an_endpoint_that_is_gone_is_asked_ever_less_and_one_push_at_a_time() {
        let mut pace = Pace::new(128, true, BACKOFF);
        let (mut now_ms, mut rooms) = (0, Vec::new());
        while pace.paused_until(now_ms).is_none() {
            let room = pace.room(0, now_ms);
            rooms.push(room);
            pace.settled(vec![false; room], room, now_ms);
        }
        assert_eq!(rooms, [128, 64, 32, 16, 8, 4, 2], "no pause before the window is closed");
        let mut waits = Vec::new();
        for _ in 0..12 {
            let until_ms = pace.paused_until(now_ms).unwrap();
            assert_eq!(pace.room(0, until_ms - 1), 0, "nothing goes during a pause");
            waits.push(until_ms - now_ms);
            now_ms = until_ms;
            assert_eq!(pace.room(0, now_ms), 1);
            pace.settled([false], 1, now_ms);
        }
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000],
            "doubling from 100 ms to a minute, however many failed at once"
        );
    }

    #[test]
    fn an_endpoint_that_comes_back_is_not_stampeded() {
        let mut pace = Pace::new(128, false, BACKOFF);
        for _ in 0..5 {
            let room = pace.room(0, 0);
            pace.settled(vec![false; room], room, 0);
        }
        let back_ms = pace.paused_until(0).unwrap();
        let mut rooms = Vec::new();
        for _ in 0..4 {
            let room = pace.room(0, back_ms);
            rooms.push(room);
            pace.settled(vec![true; room], room, back_ms);
        }
        assert_eq!(rooms, [1, 2, 4, 8]);
    }

    #[test]
    fn one_success_ends_the_pause_and_forgets_the_failures() {
        let mut pace = Pace::new(1, false, BACKOFF);
        pace.settled([false], 1, 0);
        pace.settled([false], 1, 100);
        assert_eq!(pace.paused_until(100), Some(300));
        pace.settled([true], 1, 150);
        assert_eq!(pace.paused_until(150), None);
        pace.settled([false], 1, 150);
        assert_eq!(pace.paused_until(150), Some(250));
    }
}
