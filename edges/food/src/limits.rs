//! Every bound of the service by name.

use std::time::Duration;

/// How often inventory is told what it could not be told before.
pub(crate) const SYNC_EVERY: Duration = Duration::from_secs(2);
/// The most items told at a time.
pub(crate) const SYNC_BATCH: u32 = 50;
/// The longest time one call to inventory may be given, in milliseconds.
pub(crate) const MAX_TIMEOUT_MS: u64 = 60_000;
