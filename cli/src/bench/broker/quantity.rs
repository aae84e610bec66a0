//! What is measured, and what it is held against.

use serde::Serialize;

use crate::bench::numbers::Spread;

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// From the making of the process to its first answered publish.
    Start,
    /// One message a request.
    Single,
    /// A hundred messages a request.
    Batches,
    /// Pushed to a handler that answers at once.
    Push,
    /// Pushed to a handler that takes its time.
    SlowPush,
    /// Median of the time from the intended publish to the handler.
    LatencyP50,
    /// 99th percentile of the same.
    LatencyP99,
    /// Received and acked on one stream.
    Pull,
    /// Resident after start.
    IdleMemory,
    /// Resident while the messages are held.
    HeldMemory,
    /// Resident after they were acked.
    AckedMemory,
    /// Of [`Quantity::Single`].
    SingleCpu,
    /// Of [`Quantity::Batches`].
    BatchesCpu,
    /// Of [`Quantity::Push`].
    PushCpu,
}

/// What a quantity is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Ours over theirs is this or more.
    Ratio(f64),
    /// Ours is this or more.
    AtLeast(f64),
    /// Ours is less.
    Below(f64),
}

/// How a quantity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As good as its target or better.
    Held,
    /// Worse than its target.
    Missed,
}

impl Verdict {
    /// For the table.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Missed => "missed",
        }
    }
}

impl Quantity {
    /// All, in the order of the table.
    pub const ALL: [Quantity; 14] = [
        Quantity::Start,
        Quantity::Single,
        Quantity::Batches,
        Quantity::Push,
        Quantity::SlowPush,
        Quantity::LatencyP50,
        Quantity::LatencyP99,
        Quantity::Pull,
        Quantity::IdleMemory,
        Quantity::HeldMemory,
        Quantity::AckedMemory,
        Quantity::SingleCpu,
        Quantity::BatchesCpu,
        Quantity::PushCpu,
    ];

    /// Its name. `messages` is the number of messages held for the memory.
    #[must_use]
    pub fn name(self, messages: &str) -> String {
        match self {
            Quantity::Start => "start to first answered publish".to_owned(),
            Quantity::Single => "publish, single, 32 in flight".to_owned(),
            Quantity::Batches => "publish, batches of 100, 4 in flight".to_owned(),
            Quantity::Push => "push, handler answers at once".to_owned(),
            Quantity::SlowPush => "push, handler takes 50 ms".to_owned(),
            Quantity::LatencyP50 => "publish to handler at 100/s, p50".to_owned(),
            Quantity::LatencyP99 => "publish to handler at 100/s, p99".to_owned(),
            Quantity::Pull => "streaming pull, one stream".to_owned(),
            Quantity::IdleMemory => "memory, idle".to_owned(),
            Quantity::HeldMemory => format!("memory, {messages} messages unacked"),
            Quantity::AckedMemory => "memory, these acked".to_owned(),
            Quantity::SingleCpu => "CPU per message, publish single".to_owned(),
            Quantity::BatchesCpu => "CPU per message, publish in batches".to_owned(),
            Quantity::PushCpu => "CPU per message, publish in batches and push".to_owned(),
        }
    }

    /// Its unit.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Quantity::Start | Quantity::LatencyP50 | Quantity::LatencyP99 => "ms",
            Quantity::Single | Quantity::Batches | Quantity::Push | Quantity::SlowPush | Quantity::Pull => "messages/s",
            Quantity::IdleMemory | Quantity::HeldMemory | Quantity::AckedMemory => "MB",
            Quantity::SingleCpu | Quantity::BatchesCpu | Quantity::PushCpu => "µs",
        }
    }

    /// Its target; `None` for one that is measured to be known.
    #[must_use]
    pub fn target(self) -> Option<Target> {
        match self {
            Quantity::Start => Some(Target::Below(200.0)),
            Quantity::Single => Some(Target::Ratio(1.0)),
            Quantity::Batches => Some(Target::Ratio(1.0 / 3.0)),
            Quantity::Push => Some(Target::Ratio(3.0)),
            Quantity::SlowPush => Some(Target::AtLeast(1_000.0)),
            Quantity::LatencyP50 => Some(Target::Below(5.0)),
            Quantity::Pull => Some(Target::Ratio(10.0)),
            Quantity::HeldMemory | Quantity::AckedMemory => Some(Target::Below(150.0)),
            Quantity::LatencyP99
            | Quantity::IdleMemory
            | Quantity::SingleCpu
            | Quantity::BatchesCpu
            | Quantity::PushCpu => None,
        }
    }
}

impl Target {
    /// How the medians stand; `None`: a ratio without another side.
    #[must_use]
    pub fn judge(self, ours: &Spread, ratio: Option<&Spread>) -> Option<Verdict> {
        let holds = match self {
            Target::Ratio(least) => ratio?.median >= least,
            Target::AtLeast(least) => ours.median >= least,
            Target::Below(most) => ours.median < most,
        };
        Some(if holds { Verdict::Held } else { Verdict::Missed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64) -> Spread {
        Spread::of(vec![median])
    }

    #[test]
    fn a_ratio_is_held_by_the_ratio_and_not_judged_without_one() {
        let target = Target::Ratio(3.0);
        assert_eq!(target.judge(&spread(1.0), Some(&spread(3.0))), Some(Verdict::Held));
        assert_eq!(target.judge(&spread(9.0), Some(&spread(2.9))), Some(Verdict::Missed));
        assert_eq!(target.judge(&spread(9.0), None), None);
    }

    #[test]
    fn a_limit_is_held_by_our_own_median() {
        assert_eq!(Target::AtLeast(1_000.0).judge(&spread(1_000.0), None), Some(Verdict::Held));
        assert_eq!(Target::AtLeast(1_000.0).judge(&spread(999.0), Some(&spread(50.0))), Some(Verdict::Missed));
        assert_eq!(Target::Below(5.0).judge(&spread(4.9), None), Some(Verdict::Held));
        assert_eq!(Target::Below(5.0).judge(&spread(5.0), None), Some(Verdict::Missed));
    }

    #[test]
    fn every_quantity_is_in_the_table_once_and_in_order() {
        assert!(Quantity::ALL.is_sorted_by(|a, b| a < b));
    }
}
