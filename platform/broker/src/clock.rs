//! The one place where the broker reads a clock. Everything below takes time as an argument.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock with two faces: a steady one for leases and backoff, and the wall for publish times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Milliseconds since this broker started. Never goes back.
    pub(crate) fn steady_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment of the runtime's timer at which [`Clock::steady_ms`] reaches `steady_ms`.
    pub(crate) fn timer_at(&self, steady_ms: u64) -> tokio::time::Instant {
        let far = Duration::from_secs(86_400);
        let wait = Duration::from_millis(steady_ms).saturating_sub(self.origin.elapsed()).min(far);
        tokio::time::Instant::now() + wait
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
