//! How the edges are guarded, from the settings; and what an edge that cannot answer is to an order.

use std::time::Duration;

use runtime::guard::{BreakerSettings, BudgetSettings, BulkheadSettings, GuardError, GuardSettings, Trouble};
use tracing::{debug, warn};

use super::EdgeDown;
use crate::config::Config;

/// The longest a breaker stays open between two probes, in milliseconds: an edge that is back is noticed within this time.
const LONGEST_OPEN_MS: u64 = 5_000;
/// Probes that have to be answered before a breaker closes.
const PROBES: u32 = 2;
/// Repetitions a second besides the share of calls, and how many may be saved up: a single broken connection is always worth a second try.
const RETRIES_PER_S: u32 = 1;
const RETRIES_SAVED: u32 = 10;
/// Wait for a place in a bulkhead, as a part of the edge's time: who waits longer has no time left to ask.
const PATIENCE_PART: u32 = 4;

impl Config {
    /// For an edge without which there is no order.
    pub(crate) fn required(&self) -> GuardSettings {
        let deadline = Duration::from_millis(self.edge_timeout_ms);
        let try_timeout = Duration::from_millis(self.edge_try_timeout_ms).min(deadline);
        self.guard(deadline, try_timeout, self.edge_calls)
    }

    /// For the fraud engine, which has little time. One try may take all of it; what fails sooner is tried again.
    pub(crate) fn optional(&self) -> GuardSettings {
        let deadline = Duration::from_millis(self.fraud_timeout_ms);
        self.guard(deadline, deadline, self.fraud_calls)
    }

    fn guard(&self, deadline: Duration, try_timeout: Duration, calls: u32) -> GuardSettings {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        GuardSettings {
            deadline,
            try_timeout,
            // Close to what would be a timeout.
            slow: try_timeout * 9 / 10,
            tries: self.edge_tries,
            bulkhead: BulkheadSettings { calls, waiting: self.edge_waiting, patience: deadline / PATIENCE_PART },
            breaker: BreakerSettings {
                window_ms: self.breaker_window_ms,
                minimum_calls: self.breaker_minimum_calls,
                failure_percent: self.breaker_failure_percent,
                open_ms: self.breaker_open_ms,
                longest_open_ms: LONGEST_OPEN_MS.max(self.breaker_open_ms),
                probes: PROBES,
                probe_ms: ms(deadline),
            },
            budget: BudgetSettings {
                percent: self.edge_retry_percent,
                floor_per_s: RETRIES_PER_S,
                most: RETRIES_SAVED,
            },
        }
    }
}

/// To the order it is all the same in which way a required edge cannot answer; the log knows.
pub(crate) fn answered<T>(edge: &'static str, result: Result<T, GuardError>) -> Result<T, EdgeDown> {
    result.map_err(|error| down(edge, &error))
}

/// That a required edge cannot answer, with the cause logged.
pub(crate) fn down(edge: &'static str, cause: &GuardError) -> EdgeDown {
    match cause.trouble() {
        // It was logged when it opened.
        Some(Trouble::BreakerOpen) => debug!(edge, %cause, "a required edge is left alone"),
        _ => warn!(edge, %cause, "a required edge cannot answer"),
    }
    EdgeDown(edge)
}

/// A 404 is an answer: there is none.
pub(crate) fn found<T>(answer: Result<T, GuardError>) -> Result<Option<T>, GuardError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}
