//! The rules: points for what is odd about a transaction, and the level they make. Each rule is a file and a pure function, and says why
//! in one sentence.

mod amount;
mod country;
mod device;
mod fraud;
mod hour;
mod spending;
mod velocity;

use events::risk::RiskLevel;

pub use device::Device;
pub use spending::{Spending, ln_milli};
pub use velocity::WINDOW_MS as VELOCITY_WINDOW_MS;

/// Points from which the level is HIGH.
pub const HIGH_POINTS: u32 = 60;
/// Points from which the level is MEDIUM.
pub const MEDIUM_POINTS: u32 = 30;

/// What the rules look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// The order's amount in hundredths, if it was told.
    pub amount_minor: Option<i64>,
    /// Where it is sent, two letters, if it was told.
    pub shipping_country: Option<&'a str>,
    /// Where it is billed, two letters, if it was told.
    pub billing_country: Option<&'a str>,
    /// Orders of the customer in the window around this one, this one included.
    pub recent_orders: u32,
    /// Orders of a customer allowed in the window.
    pub velocity_limit: u32,
    /// Orders of other customers to the same address in the window.
    pub recent_at_address: u32,
    /// Orders of others to one address allowed in the window.
    pub address_limit: u32,
    /// Hour of the day it happened at, UTC. 0..=23.
    pub hour: u8,
    /// Hour of the day where the customer is, if it was told. 0..=23.
    pub local_hour: Option<u8>,
    /// What is known of the customer from before.
    pub customer: Past,
    /// What all customers spend.
    pub shop: Spending,
    /// What is known of the device it came from, if it was told.
    pub device: Option<Device>,
}

/// What is known of a customer from before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// What they spend.
    pub spending: Spending,
    /// Orders by hour of the day, UTC.
    pub hours: [u32; 24],
    /// Orders that came to a good end.
    pub completed: u32,
    /// Orders that were cancelled as fraud.
    pub frauds: u32,
}

/// Points, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// How many.
    pub points: u32,
    /// One sentence.
    pub reason: &'static str,
}

/// A score and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// `LOW`, `MEDIUM` or `HIGH`.
    pub level: RiskLevel,
    /// The sum of the rules' points.
    pub points: u32,
    /// One sentence for each rule that gave points.
    pub reasons: Vec<&'static str>,
}

impl Score {
    /// Nothing odd.
    pub const NONE: Score = Score { level: RiskLevel::Low, points: 0, reasons: Vec::new() };
}

/// A rule.
type Rule = fn(&Signals<'_>) -> Option<Finding>;

/// Every rule, in the order their reasons are given.
const RULES: [Rule; 11] = [
    country::differs,
    amount::is_large,
    amount::is_very_large,
    amount::is_unlike_the_customer,
    amount::is_unlike_the_shop,
    velocity::of_customer,
    velocity::of_address,
    hour::is_unusual,
    device::is_new,
    device::is_shared,
    fraud::came_before,
];

/// Scores a transaction.
#[must_use]
pub fn score(signals: &Signals<'_>) -> Score {
    let findings: Vec<Finding> = RULES.iter().filter_map(|rule| rule(signals)).collect();
    let points = findings.iter().map(|finding| finding.points).sum();
    Score { level: level(points), points, reasons: findings.iter().map(|finding| finding.reason).collect() }
}

/// The level that points make.
#[must_use]
pub fn level(points: u32) -> RiskLevel {
    match points {
        HIGH_POINTS.. => RiskLevel::High,
        MEDIUM_POINTS.. => RiskLevel::Medium,
        _ => RiskLevel::Low,
    }
}

#[cfg(test)]
mod tests;
