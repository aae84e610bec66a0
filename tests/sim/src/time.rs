//! The run's time, which stands still while there is something to do, and its ids.
#![allow(clippy::disallowed_methods)] // The instant read here is the run's own: tokio's clock is paused.

use std::cell::RefCell;
use std::time::Duration;

use runtime::simulation;
use testkit::T0;
use tokio::time::Instant;

use crate::chance::Chance;

/// When a run began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// Begins now. Within the run's tokio runtime.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the run began.
    pub(crate) fn since_start_ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Milliseconds since the Unix epoch, as every service sees them.
    pub(crate) fn now_ms(self) -> u64 {
        T0.unsigned_abs() + self.since_start_ms()
    }
}

/// Lets time pass.
pub(crate) async fn wait(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// What services read instead of the machine's clock and chance.
pub(crate) struct TimeAndIds {
    clock: Clock,
    ids: RefCell<Chance>,
}

impl TimeAndIds {
    pub(crate) fn new(clock: Clock, ids: Chance) -> Self {
        Self { clock, ids: RefCell::new(ids) }
    }
}

impl simulation::World for TimeAndIds {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX)
    }

    fn instant(&self) -> std::time::Instant {
        Instant::now().into_std()
    }

    fn random(&self) -> u128 {
        self.ids.borrow_mut().bits()
    }
}
