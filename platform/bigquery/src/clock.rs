//! The one place where this crate reads a clock.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant};

/// A moment, to see how long ago it was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(Instant);

impl Moment {
    pub(crate) fn now() -> Moment {
        Moment(Instant::now())
    }

    pub(crate) fn is_within(self, time: Duration) -> bool {
        self.0.elapsed() < time
    }
}
