//! What the figures are held against.

use serde::Serialize;

/// Within reach, and the aim.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bar {
    /// What is within reach.
    pub reach: f64,
    /// What is aimed at.
    pub aim: f64,
    /// Whether more is better.
    #[serde(skip)]
    more_is_better: bool,
}

/// Orders per second over S_ord.
pub const ORDERS: Bar = Bar { reach: 0.15, aim: 0.30, more_is_better: true };
/// Events handled per second over S_inbox.
pub const EVENTS: Bar = Bar { reach: 0.35, aim: 0.55, more_is_better: true };
/// Median time from 201 to completed, in milliseconds.
pub const LATENCY_P50_MS: Bar = Bar { reach: 40.0, aim: 15.0, more_is_better: false };
/// 99th percentile of the same.
pub const LATENCY_P99_MS: Bar = Bar { reach: 150.0, aim: 30.0, more_is_better: false };
/// CPU per completed order, in milliseconds.
pub const CPU_MS: Bar = Bar { reach: 2.0, aim: 1.4, more_is_better: false };
/// Resident memory of an idle shop, in MB.
pub const IDLE_MB: Bar = Bar { reach: 60.0, aim: 30.0, more_is_better: false };
/// The most resident memory under load, in MB.
pub const LOADED_MB: Bar = Bar { reach: 200.0, aim: 100.0, more_is_better: false };
/// Start of a service, in milliseconds.
pub const START_MS: Bar = Bar { reach: 50.0, aim: 20.0, more_is_better: false };

/// How a figure stands. Ordered from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not even what is within reach.
    Below,
    /// What is within reach.
    Reached,
    /// The aim.
    ReachedAim,
}

impl Verdict {
    /// For the table.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Below => "below",
            Verdict::Reached => "reached",
            Verdict::ReachedAim => "reached aim",
        }
    }
}

impl Bar {
    /// How `value` stands.
    #[must_use]
    pub fn judge(self, value: f64) -> Verdict {
        let holds = |bar: f64| if self.more_is_better { value >= bar } else { value <= bar };
        match (holds(self.aim), holds(self.reach)) {
            (true, _) => Verdict::ReachedAim,
            (false, true) => Verdict::Reached,
            (false, false) => Verdict::Below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_better_higher_and_a_time_lower() {
        assert_eq!(ORDERS.judge(0.31), Verdict::ReachedAim);
        assert_eq!(ORDERS.judge(0.15), Verdict::Reached);
        assert_eq!(ORDERS.judge(0.1), Verdict::Below);
        assert_eq!(CPU_MS.judge(1.4), Verdict::ReachedAim);
        assert_eq!(CPU_MS.judge(1.9), Verdict::Reached);
        assert_eq!(CPU_MS.judge(2.1), Verdict::Below);
    }

    #[test]
    fn of_two_verdicts_the_worse_is_less() {
        assert_eq!(Verdict::ReachedAim.min(Verdict::Below), Verdict::Below);
        assert_eq!(Verdict::ReachedAim.min(Verdict::Reached), Verdict::Reached);
    }
}
