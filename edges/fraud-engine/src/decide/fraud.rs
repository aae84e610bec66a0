//! A customer whose order was cancelled as fraud before.

use super::{Finding, Signals};

/// Points: any second oddity of weight makes it HIGH.
const POINTS: u32 = 40;

pub(super) fn came_before(signals: &Signals<'_>) -> Option<Finding> {
    let reason = "an earlier order of the customer was cancelled as fraud";
    (signals.customer.frauds > 0).then_some(Finding { points: POINTS, reason })
}
