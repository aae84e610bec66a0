//! The one place that reads time and randomness; everywhere else they are data.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

/// Now, to the millisecond: what goes on the wire and into tables.
#[must_use]
pub fn now() -> Timestamp {
    from_ms(now_ms())
}

/// Now, in milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The time at `ms` milliseconds since the Unix epoch; the epoch for numbers that are no time.
#[must_use]
pub fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A new id that sorts by its time (UUID v7).
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A new W3C `traceparent`, sampled.
#[must_use]
pub fn new_traceparent() -> String {
    let trace = Uuid::now_v7().simple().to_string();
    let span = Uuid::now_v7().simple().to_string();
    format!("00-{trace}-{}-01", &span[16..])
}

/// Measures elapsed time.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Whole milliseconds since the start.
    #[must_use]
    pub fn elapsed_ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
