//! The time of day: against the customer's own habit, or where that is not known, the night where they are.

use super::{Finding, Signals};

/// Orders by which a customer has a habit.
const HABIT_ORDERS: u32 = 10;
/// Points for an hour at which the customer never ordered.
const HABIT_POINTS: u32 = 15;
/// Hours of the night, local time: from one to before five.
const NIGHT: std::ops::Range<u8> = 1..5;
/// Points for the night.
const NIGHT_POINTS: u32 = 5;

pub(super) fn is_unusual(signals: &Signals<'_>) -> Option<Finding> {
    let hours = &signals.customer.hours;
    if hours.iter().sum::<u32>() >= HABIT_ORDERS {
        // An hour before and after count, so that nobody is odd for being early.
        let around = [23, 0, 1].map(|shift| hours[(usize::from(signals.hour) + shift) % 24]);
        let reason = "the customer has never ordered at this time of day";
        return (around == [0; 3]).then_some(Finding { points: HABIT_POINTS, reason });
    }
    let night = NIGHT.contains(&signals.local_hour?);
    night.then_some(Finding { points: NIGHT_POINTS, reason: "it is the middle of the night where the customer is" })
}
