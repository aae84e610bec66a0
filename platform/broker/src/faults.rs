//! Faults on request, for tests of what is built on the broker.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;

use crate::sync::lock;

/// What goes wrong on purpose. Nothing by default. Acks of subscriptions with exactly-once delivery are left alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Share of acked messages that are delivered once more all the same. 0.0..=1.0.
    pub duplicate: f64,
    /// Every message is held back this long before its first delivery. At most 10 minutes.
    pub delay: Duration,
    /// Share of acks that are answered and forgotten: the message comes again after its deadline, or at once if it was pushed.
    /// 0.0..=1.0.
    pub drop_acks: f64,
    /// The same seed and the same order of acks draw the same.
    pub seed: u64,
}

impl Faults {
    /// Whether anything goes wrong at all.
    pub fn any(&self) -> bool {
        self.duplicate > 0.0 || self.drop_acks > 0.0 || !self.delay.is_zero()
    }

    /// Whether the shares are shares and the delay is bounded.
    pub(crate) fn are_in_range(&self) -> bool {
        let share = |share: f64| (0.0..=1.0).contains(&share);
        share(self.duplicate) && share(self.drop_acks) && self.delay <= Duration::from_secs(600)
    }
}

/// Draws who is hit.
#[derive(Debug)]
pub(crate) struct Dice {
    faults: Faults,
    rng: Mutex<Rng>,
}

impl Dice {
    pub(crate) fn new(faults: Faults) -> Dice {
        Dice { faults, rng: Mutex::new(Rng::with_seed(faults.seed)) }
    }

    /// Whether this ack is dropped.
    pub(crate) fn drops_ack(&self) -> bool {
        self.draw(self.faults.drop_acks)
    }

    /// Whether this message comes once more.
    pub(crate) fn duplicates(&self) -> bool {
        self.draw(self.faults.duplicate)
    }

    /// How long a message is held back, in milliseconds.
    pub(crate) fn delay_ms(&self) -> u64 {
        u64::try_from(self.faults.delay.as_millis()).unwrap_or(0)
    }

    fn draw(&self, share: f64) -> bool {
        share > 0.0 && lock(&self.rng).f64() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_drawn_about_that_often_and_the_same_with_the_same_seed() {
        let draws = |seed| {
            let dice = Dice::new(Faults { duplicate: 0.2, seed, ..Faults::default() });
            (0..10_000).filter(|_| dice.duplicates()).count()
        };
        assert!((1_800..2_200).contains(&draws(1)), "{}", draws(1));
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        let never = Dice::new(Faults::default());
        assert!(!never.faults.any() && !(0..1_000).any(|_| never.drops_ack()));
    }
}
