//! The one place that reads time and randomness; everywhere else they are data.
//!
//! In a [simulated world](crate::simulation) both are the world's.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::{Builder, Uuid};

use crate::simulation;

/// Now, to the millisecond: what goes on the wire and into tables.
#[must_use]
pub fn now() -> Timestamp {
    from_ms(now_ms())
}

/// Now, in milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    match simulation::world() {
        None => Timestamp::now().as_millisecond(),
        Some(world) => world.now_ms(),
    }
}

/// The time at `ms` milliseconds since the Unix epoch; the epoch for numbers that are no time.
#[must_use]
pub fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A new id that sorts by its time (UUID v7).
#[must_use]
pub fn new_id() -> Uuid {
    let Some(world) = simulation::world() else { return Uuid::now_v7() };
    let [_, _, _, _, _, _, random @ ..] = world.random().to_be_bytes();
    Builder::from_unix_timestamp_millis(u64::try_from(world.now_ms()).unwrap_or(0), &random).into_uuid()
}

/// Bytes nobody can guess: for keys and for ids that must say nothing. From the system's own source, not from a generator of ours.
///
/// # Panics
/// When the system has none to give: nothing that needs a secret may go on without.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match simulation::world() {
        None => SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes"),
        Some(world) => {
            for chunk in bytes.chunks_mut(size_of::<u128>()) {
                chunk.copy_from_slice(&world.random().to_be_bytes()[..chunk.len()]);
            }
        }
    }
    bytes
}

/// A number from 0 to 1, drawn anew each time: for spreading waits.
#[must_use]
pub fn fraction() -> f64 {
    // The last 32 bits of a UUID v7 are random.
    let [.., a, b, c, d] = new_id().into_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// A new W3C `traceparent`, sampled.
#[must_use]
pub fn new_traceparent() -> String {
    let trace = new_id().simple().to_string();
    let span = new_id().simple().to_string();
    format!("00-{trace}-{}-01", &span[16..])
}

/// This moment, for measuring; see [`Stopwatch`].
pub(crate) fn instant() -> Instant {
    match simulation::world() {
        None => Instant::now(),
        Some(world) => world.instant(),
    }
}

/// Measures elapsed time.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(instant())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        instant().duration_since(self.0)
    }

    /// Whole milliseconds since the start.
    #[must_use]
    pub fn elapsed_ms(self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
