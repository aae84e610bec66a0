//! Goods that go to another country than the bill.

use super::{Finding, Signals};

/// Points for a shipping country that is not the billing country: HIGH by itself.
const POINTS: u32 = 60;

pub(super) fn differs(signals: &Signals<'_>) -> Option<Finding> {
    let (shipping, billing) = signals.shipping_country.zip(signals.billing_country)?;
    let differs = !shipping.eq_ignore_ascii_case(billing);
    differs.then_some(Finding { points: POINTS, reason: "the shipping country is not the billing country" })
}
