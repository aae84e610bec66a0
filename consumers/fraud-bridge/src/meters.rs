//! What is counted at the bridge.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use runtime::clock;
use runtime::metrics::{Counter, Metrics};

use crate::pace::Pace;

/// No order waits.
const NOBODY: i64 = i64::MAX;

/// The handles. Clones are the same.
#[derive(Clone)]
pub(crate) struct Meters {
    pub(crate) settled: Counter,
    pub(crate) postponed: Counter,
    pub(crate) reported: Counter,
    pub(crate) report_postponed: Counter,
    pub(crate) report_dropped: Counter,
    /// Since when the order that waits longest does, in milliseconds since the Unix epoch.
    oldest_ms: Arc<AtomicI64>,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics, pace: &Arc<Mutex<Pace>>) -> Self {
        let scoring = |outcome: &'static str| {
            metrics.counter(
                "boutique_scorings_total",
                "Questions about orders of unknown risk.",
                &[("outcome", outcome)],
            )
        };
        let report = |outcome: &'static str| {
            let help = "Reports of orders that ended.";
            metrics.counter("boutique_reports_total", help, &[("outcome", outcome)])
        };
        let oldest_ms = Arc::new(AtomicI64::new(NOBODY));
        let read = Arc::clone(&oldest_ms);
        metrics.observe(
            "boutique_scorings_oldest_waiting_seconds",
            "For how long an order has waited for the fraud engine's word.",
            &[],
            move || match read.load(Ordering::Relaxed) {
                NOBODY => 0.0,
                since_ms => seconds(clock::now_ms() - since_ms),
            },
        );
        let pace = Arc::clone(pace);
        let help = "0 closed, 1 half-open, 2 open.";
        metrics.observe("boutique_edge_breaker_state", help, &[("edge", "fraud-engine")], move || {
            pace.lock().map_or(0.0, |pace| pace.state().number())
        });
        Self {
            settled: scoring("settled"),
            postponed: scoring("postponed"),
            reported: report("sent"),
            report_postponed: report("postponed"),
            report_dropped: report("dropped"),
            oldest_ms,
        }
    }

    /// Since when the order that waits longest does.
    pub(crate) fn waits_since(&self, oldest_ms: Option<i64>) {
        self.oldest_ms.store(oldest_ms.unwrap_or(NOBODY), Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of ages are far below 2^53")]
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}
