//! What was counted in a run, or in many.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::life::Place;

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Orders that clients wanted.
    pub wanted: u64,
    /// Orders that ended, by status; `rejected` ones were refused by checkout.
    pub ended: BTreeMap<String, u64>,
    /// Requests between services and of clients.
    pub requests: u64,
    /// Requests that brought no answer.
    pub unanswered: u64,
    /// Pushes that reached a consumer that was there.
    pub deliveries: u64,
    /// Pushes the consumer did not ack.
    pub nacks: u64,
    /// Messages given to Pub/Sub.
    pub published: u64,
    /// Transactions.
    pub transactions: u64,
    /// Jobs a database refused, and commits that failed.
    pub refused: u64,
    /// Links cut between services.
    pub cuts: u64,
    /// Processes that died, by the step they died at.
    pub crashes: BTreeMap<Place, u64>,
    /// Dead letters given back to the consumer that failed.
    pub replayed: u64,
    /// Decisions of the reviewer about orders on hold that OMS took.
    pub reviewed: u64,
    /// Deliveries that failed.
    pub undelivered: u64,
    /// Returns that were inspected.
    pub inspected: u64,
    /// Orders that were said to be stuck.
    pub stuck: u64,
    /// Simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// Lines of the trace.
    pub steps: u64,
}

impl Tally {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Tally) {
        let Self { wanted, ended, requests, unanswered, deliveries, nacks, published, .. } = self;
        *wanted += other.wanted;
        *requests += other.requests;
        *unanswered += other.unanswered;
        *deliveries += other.deliveries;
        *nacks += other.nacks;
        *published += other.published;
        for (status, count) in &other.ended {
            *ended.entry(status.clone()).or_default() += count;
        }
        for (place, count) in &other.crashes {
            *self.crashes.entry(*place).or_default() += count;
        }
        self.transactions += other.transactions;
        self.refused += other.refused;
        self.cuts += other.cuts;
        self.replayed += other.replayed;
        self.reviewed += other.reviewed;
        self.undelivered += other.undelivered;
        self.inspected += other.inspected;
        self.stuck += other.stuck;
        self.simulated_ms += other.simulated_ms;
        self.steps += other.steps;
    }

    /// Processes that died.
    #[must_use]
    pub fn all_crashes(&self) -> u64 {
        self.crashes.values().sum()
    }
}
