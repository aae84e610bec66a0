//! What is counted at an edge.

use std::sync::Arc;

use super::Inner;
use super::breaker::State;
use super::trouble::{GuardError, Trouble};
use crate::metrics::{Counter, Histogram, Metrics};

/// The handles of one edge.
pub(super) struct Meters {
    answered: Counter,
    refused: Counter,
    troubles: [Counter; Trouble::ALL.len()],
    seconds: Histogram,
    tries: Counter,
    unaffordable: Counter,
    transitions: [Counter; State::ALL.len()],
}

impl Meters {
    pub(super) fn new(metrics: &Metrics, edge: &'static str) -> Self {
        let outcome = |outcome: &'static str| {
            let help = "Calls to an edge by outcome, each with all its tries.";
            metrics.counter("boutique_edge_calls_total", help, &[("edge", edge), ("outcome", outcome)])
        };
        let transition = |state: State| {
            let help = "How often an edge's breaker came into a state.";
            metrics.counter("boutique_edge_breaker_transitions_total", help, &[("edge", edge), ("to", state.as_str())])
        };
        let of_edge = [("edge", edge)];
        Self {
            answered: outcome("answered"),
            refused: outcome("refused"),
            troubles: Trouble::ALL.map(|trouble| outcome(trouble.as_str())),
            seconds: metrics.seconds(
                "boutique_edge_call_seconds",
                "How long calls took, with all their tries.",
                &of_edge,
            ),
            tries: metrics.counter("boutique_edge_tries_total", "Requests sent to an edge.", &of_edge),
            unaffordable: metrics.counter(
                "boutique_edge_retries_refused_total",
                "Repetitions that the retry budget did not allow.",
                &of_edge,
            ),
            transitions: State::ALL.map(transition),
        }
    }

    pub(super) fn ended<T>(&self, result: &Result<T, GuardError>, seconds: f64) {
        let counter = match result {
            Ok(_) => &self.answered,
            Err(GuardError::Refused { .. }) => &self.refused,
            Err(GuardError::Down { trouble, .. }) => &self.troubles[*trouble as usize],
        };
        counter.increment(1);
        self.seconds.record(seconds);
    }

    pub(super) fn tried(&self) {
        self.tries.increment(1);
    }

    pub(super) fn could_not_afford(&self) {
        self.unaffordable.increment(1);
    }

    pub(super) fn moved(&self, to: State) {
        self.transitions[to as usize].increment(1);
    }
}

/// What is read when the page is made.
pub(super) fn observe(metrics: &Metrics, guard: &Arc<Inner>) {
    let of_edge = [("edge", guard.edge)];
    let read = |what: fn(&Inner) -> f64| {
        // Weak: the metrics of a service outlive no guard.
        let guard = Arc::downgrade(guard);
        move || guard.upgrade().map_or(0.0, |guard| what(&guard))
    };
    metrics.observe(
        "boutique_edge_breaker_state",
        "0 closed, 1 half-open, 2 open.",
        &of_edge,
        read(|guard| guard.state().breaker.state().number()),
    );
    metrics.observe(
        "boutique_edge_retry_budget_left",
        "Repetitions that could be made now.",
        &of_edge,
        read(|guard| f64::from(guard.state().budget.left())),
    );
    metrics.observe(
        "boutique_edge_bulkhead_in_use",
        "Calls under way.",
        &of_edge,
        read(|guard| f64::from(guard.bulkhead.in_use())),
    );
    metrics.observe(
        "boutique_edge_bulkhead_waiting",
        "Calls that wait for a place.",
        &of_edge,
        read(|guard| f64::from(guard.bulkhead.waiting())),
    );
}
