//! `boutique sim`

use std::num::NonZeroUsize;
use std::ops::Range;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use runtime::clock::Stopwatch;
use serde_json::json;
use sim::{Outcome, Stage, Totals};

use crate::output;

/// The most violations printed of one run.
const MOST_PRINTED: usize = 10;

/// Run the whole shop many times in a simulated world where everything goes wrong that can, and audit the books after each run.
///
/// Every service runs its real code on one thread, over a simulated Pub/Sub, network and clock. A seed draws the orders and the faults; the
/// same seed is the same run. Exit code 1 and the seeds when an invariant was broken.
#[derive(Args)]
pub struct SimArgs {
    /// Which runs: from A up to, and without, B
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Runs at a time; each takes one core
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
    /// Run this one seed and print what happens, step by step
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "threads"])]
    trace: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let bounds = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds
        .filter(|range: &Range<u64>| !range.is_empty())
        .ok_or_else(|| "expected two numbers, as in 0..1000".to_owned())
}

pub(super) async fn run(args: SimArgs) -> anyhow::Result<ExitCode> {
    // A thread of its own: each run brings its own clock and executor.
    tokio::task::spawn_blocking(move || match args.trace {
        Some(seed) => trace(seed, args.json),
        None => sweep(&args),
    })
    .await
    .context("the simulation panicked")?
}

fn sweep(args: &SimArgs) -> anyhow::Result<ExitCode> {
    let watch = Stopwatch::start();
    let count = usize::try_from(args.seeds.end - args.seeds.start).unwrap_or(usize::MAX);
    let bar = output::progress("seeds", count);
    let mut totals = Totals::default();
    sim::sweep(args.seeds.clone(), args.threads.get(), |outcome| {
        bar.inc(1);
        if !outcome.violations.is_empty() && !args.json {
            bar.suspend(|| print_failure(&outcome));
        }
        totals.add(outcome);
    })?;
    bar.finish_and_clear();
    let seconds = watch.elapsed().as_secs_f64();
    if args.json {
        output::json(&json!({ "totals": totals, "seconds": seconds }))?;
    } else {
        println!("{}; {seconds:.1} s", totals.line());
    }
    Ok(if totals.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn trace(seed: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let outcome = Stage::new()?.trace(seed);
    if as_json {
        output::json(&outcome)?;
    } else {
        outcome.trace.iter().for_each(|line| println!("{line}"));
        print_failure(&outcome);
        println!("seed {seed}: {} steps, hash {:016x}", outcome.tally.steps, outcome.hash);
    }
    Ok(if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_failure(outcome: &Outcome) {
    for violation in outcome.violations.iter().take(MOST_PRINTED) {
        println!("seed {}: {violation}", outcome.seed);
    }
    let more = outcome.violations.len().saturating_sub(MOST_PRINTED);
    if more > 0 {
        println!("seed {}: … and {more} more (--json lists all)", outcome.seed);
    }
}
