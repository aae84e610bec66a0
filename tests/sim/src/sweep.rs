//! Many runs, on as many threads as wanted.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use serde::Serialize;
use store::StoreError;

use crate::run::Outcome;
use crate::stage::Stage;
use crate::tally::Tally;

/// What came of many runs.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Runs.
    pub seeds: u64,
    /// Runs with a violation, by seed.
    pub failed: Vec<Outcome>,
    /// All that was counted.
    pub tally: Tally,
}

impl Totals {
    /// Adds a run.
    pub fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.tally.add(&outcome.tally);
        if !outcome.violations.is_empty() {
            let place = self.failed.partition_point(|other| other.seed < outcome.seed);
            self.failed.insert(place, outcome);
        }
    }

    /// One line of totals.
    #[must_use]
    pub fn line(&self) -> String {
        let Tally {
            deliveries,
            nacks,
            transactions,
            refused,
            cuts,
            replayed,
            reviewed,
            undelivered,
            inspected,
            stuck,
            simulated_ms,
            ..
        } = &self.tally;
        let ended: Vec<String> = self.tally.ended.iter().map(|(status, count)| format!("{count} {status}")).collect();
        format!(
            "{} seeds, {} failed: {} orders wanted ({}), {deliveries} deliveries ({nacks} not acked), {transactions} transactions \
             ({refused} refused), {} crashes, {cuts} cuts, {reviewed} reviewed, {undelivered} undelivered, \
             {inspected} returns inspected, {stuck} stuck for a while, {replayed} replayed, {} simulated hours",
            self.seeds,
            self.failed.len(),
            self.tally.wanted,
            ended.join(", "),
            self.tally.all_crashes(),
            simulated_ms / 3_600_000,
        )
    }
}

/// Runs every seed of a range on `threads` threads, and hands each outcome to `done` as it comes.
///
/// # Errors
/// [`StoreError`] when a stage cannot be made.
pub fn sweep(seeds: Range<u64>, threads: usize, mut done: impl FnMut(Outcome)) -> Result<(), StoreError> {
    let next = AtomicU64::new(seeds.start);
    let (send, outcomes) = mpsc::channel();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                let (next, send, end) = (&next, send.clone(), seeds.end);
                scope.spawn(move || work(next, end, &send))
            })
            .collect();
        drop(send);
        outcomes.into_iter().for_each(&mut done);
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn work(next: &AtomicU64, end: u64, send: &mpsc::Sender<Outcome>) -> Result<(), StoreError> {
    let stage = Stage::new()?;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || send.send(stage.run(seed)).is_err() {
            return Ok(());
        }
    }
}
