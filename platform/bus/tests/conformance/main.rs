//! What a user of Pub/Sub relies on, as one suite that every engine passes. README.md says how to run it.

#![allow(clippy::unwrap_used, reason = "tests stop on errors")]

mod cases;
mod engine;
mod engines;
mod known_faults;
mod run;
mod world;

use std::sync::Arc;

use engine::Engine;
use engines::{Simulated, Wire, embedded};
use run::run;
use testkit::Emulator;

/// Seeds the simulation runs with. Each changes how late pushes are and who overtakes whom.
const SEEDS: std::ops::Range<u64> = 0..10;

/// One case at a time on a simulation of its own.
#[tokio::test]
async fn simulated() {
    let only: Option<u64> = std::env::var("CONFORMANCE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(SEEDS, |seed| seed..seed + 1);
    for seed in seeds {
        run(&format!("the simulation, CONFORMANCE_SEED={seed}"), &[], 1, || Arc::new(Simulated::new(seed))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broker() {
    let broker = embedded().await;
    let wire: Arc<dyn Engine> = Arc::new(Wire::connect(&broker.host).await);
    run("the broker", &[], 32, || Arc::clone(&wire)).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator() {
    let Some(emulator) = Emulator::start().await else { return };
    let wire: Arc<dyn Engine> = Arc::new(Wire::connect(&emulator.host).await);
    run("Google's emulator", known_faults::EMULATOR, 32, || Arc::clone(&wire)).await;
}
