//! What is counted of orders at checkout.

use std::time::Duration;

use events::risk::RiskLevel;
use runtime::Problem;
use runtime::metrics::{Counter, Histogram, Metrics};

use crate::answer::Answer;
use crate::orders::confirms;

/// The handles.
pub(crate) struct Meters {
    confirmed: Counter,
    rejected: Counter,
    refused: Counter,
    unknown: Counter,
    seconds: Histogram,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let answer = |answer: &'static str| {
            metrics.counter("boutique_orders_total", "Answers to clients who order.", &[("answer", answer)])
        };
        let help = "Orders that went on without the fraud engine's word.";
        Self {
            confirmed: answer("confirmed"),
            rejected: answer("rejected"),
            refused: answer("refused"),
            unknown: metrics.counter("boutique_orders_of_unknown_risk_total", help, &[]),
            seconds: metrics.seconds("boutique_order_seconds", "How long clients waited for an answer.", &[]),
        }
    }

    /// An order is about to be confirmed.
    pub(crate) fn confirming(&self, risk: RiskLevel) {
        if risk == RiskLevel::Unknown {
            self.unknown.increment(1);
        }
    }

    /// A client is about to be told.
    pub(crate) fn answered(&self, answer: &Result<Answer, Problem>, took: Duration) {
        let counter = match answer {
            Ok(answer) if confirms(answer.status_code) => &self.confirmed,
            Ok(_) => &self.rejected,
            Err(_) => &self.refused,
        };
        counter.increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}
