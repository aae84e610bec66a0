//! The device: new for the customer, or used by many.

use super::{Finding, Signals};

/// Devices of a customer by which a further one is new rather than the first.
const DEVICES_KNOWN: u32 = 1;
/// Other customers on a device from which it is shared by too many: a household has fewer.
const SHARED_BY: u32 = 4;
/// Points for a device that is new for the customer.
const NEW_POINTS: u32 = 10;
/// Points for a device that many customers use.
const SHARED_POINTS: u32 = 30;

/// What is known of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    /// Whether the customer used it before.
    pub is_known: bool,
    /// Devices the customer used before.
    pub devices_of_customer: u32,
    /// Other customers who used it, counted up to some number.
    pub others: u32,
}

pub(super) fn is_new(signals: &Signals<'_>) -> Option<Finding> {
    let device = signals.device?;
    let new = !device.is_known && device.devices_of_customer >= DEVICES_KNOWN;
    new.then_some(Finding { points: NEW_POINTS, reason: "the device is new for the customer" })
}

pub(super) fn is_shared(signals: &Signals<'_>) -> Option<Finding> {
    let shared = signals.device?.others >= SHARED_BY;
    shared.then_some(Finding { points: SHARED_POINTS, reason: "many customers use the device" })
}
