//! How many orders within ten minutes: of the customer, and of others to the same address.

use super::{Finding, Signals};

/// The window in which orders are counted, in milliseconds.
pub const WINDOW_MS: i64 = 10 * 60 * 1_000;
/// Points for more orders of the customer than allowed.
const CUSTOMER_POINTS: u32 = 30;
/// Points for more orders of others to the address than allowed.
const ADDRESS_POINTS: u32 = 30;

pub(super) fn of_customer(signals: &Signals<'_>) -> Option<Finding> {
    let reason = "the customer placed unusually many orders within 10 minutes";
    (signals.recent_orders > signals.velocity_limit).then_some(Finding { points: CUSTOMER_POINTS, reason })
}

/// Only the orders of others: those of the customer are counted by the other rule.
pub(super) fn of_address(signals: &Signals<'_>) -> Option<Finding> {
    let reason = "other customers placed unusually many orders to this address within 10 minutes";
    (signals.recent_at_address > signals.address_limit).then_some(Finding { points: ADDRESS_POINTS, reason })
}
