//! How much it is: in itself, for this customer, and for this shop.

use super::{Finding, Signals};

/// An amount from which a transaction is large, in hundredths.
const LARGE_MINOR: i64 = 50_000;
/// An amount from which a transaction is very large, in hundredths.
const VERY_LARGE_MINOR: i64 = 200_000;
/// Points for a large amount.
const LARGE_POINTS: u32 = 30;
/// Further points for a very large one: with a second oddity it is HIGH, alone it is not, for the catalogue sells a camera at 2,245.00.
const VERY_LARGE_POINTS: u32 = 15;
/// Orders a customer must have placed before their amounts are a habit.
const CUSTOMER_ORDERS: u32 = 5;
/// Orders the shop must have seen before its amounts are a measure.
const SHOP_ORDERS: u32 = 200;
/// Deviations from the usual that are odd for a customer.
const CUSTOMER_DEVIATIONS: f64 = 3.0;
/// Deviations from the usual that are odd for the shop, which has customers of many kinds.
const SHOP_DEVIATIONS: f64 = 4.0;
/// Points for an amount unlike the customer.
const CUSTOMER_POINTS: u32 = 20;
/// Points for an amount unlike the shop.
const SHOP_POINTS: u32 = 10;
/// Orders that came to a good end by which a customer is a regular.
const REGULAR_ORDERS: u32 = 10;
/// Deviations within which an amount is what a regular customer always spends.
const REGULAR_DEVIATIONS: f64 = 1.5;

pub(super) fn is_large(signals: &Signals<'_>) -> Option<Finding> {
    let large = signals.amount_minor? >= LARGE_MINOR && !is_usual_for_a_regular(signals);
    large.then_some(Finding { points: LARGE_POINTS, reason: "the amount is 500.00 or more" })
}

pub(super) fn is_very_large(signals: &Signals<'_>) -> Option<Finding> {
    let very = signals.amount_minor? >= VERY_LARGE_MINOR && !is_usual_for_a_regular(signals);
    very.then_some(Finding { points: VERY_LARGE_POINTS, reason: "the amount is 2000.00 or more" })
}

pub(super) fn is_unlike_the_customer(signals: &Signals<'_>) -> Option<Finding> {
    let deviations = signals.customer.spending.deviations(signals.amount_minor?, CUSTOMER_ORDERS)?;
    let reason = "the amount is far above what the customer usually spends";
    (deviations >= CUSTOMER_DEVIATIONS).then_some(Finding { points: CUSTOMER_POINTS, reason })
}

pub(super) fn is_unlike_the_shop(signals: &Signals<'_>) -> Option<Finding> {
    let deviations = signals.shop.deviations(signals.amount_minor?, SHOP_ORDERS)?;
    let reason = "the amount is far above what customers usually spend";
    (deviations >= SHOP_DEVIATIONS).then_some(Finding { points: SHOP_POINTS, reason })
}

/// Someone who has often paid as much, and whose orders came to a good end: size alone says nothing about them.
fn is_usual_for_a_regular(signals: &Signals<'_>) -> bool {
    let past = &signals.customer;
    let usual = || {
        let deviations = past.spending.deviations(signals.amount_minor?, CUSTOMER_ORDERS)?;
        Some(deviations <= REGULAR_DEVIATIONS)
    };
    past.completed >= REGULAR_ORDERS && past.frauds == 0 && usual().unwrap_or(false)
}
