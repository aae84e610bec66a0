//! A fixed set of runs, a few that nobody has seen, and the same run twice.

use sim::{Place, Stage, Tally, Totals, sweep};

/// The runs every change has to pass.
const FIXED: u64 = 150;
/// Runs from a new place each time.
const FRESH: u64 = 50;
/// Runs that are run twice.
const TWICE: u64 = 20;
/// Cores that a test may take.
const THREADS: usize = 2;

fn run(from: u64, count: u64) -> Totals {
    let mut totals = Totals::default();
    sweep(from..from + count, THREADS, |outcome| totals.add(outcome)).expect("stages");
    println!("{}", totals.line());
    for failed in &totals.failed {
        println!("seed {} (boutique sim --trace {}): {:#?}", failed.seed, failed.seed, failed.violations);
    }
    totals
}

#[test]
fn fixed_seeds_hold_every_invariant_and_die_at_every_step() {
    let totals = run(0, FIXED);
    assert!(totals.failed.is_empty(), "{} of {} seeds failed", totals.failed.len(), totals.seeds);
    for place in Place::ALL {
        assert!(totals.tally.crashes.contains_key(&place), "no process died at {place:?}");
    }
    for status in ["completed", "cancelled", "rejected", "returned"] {
        assert!(totals.tally.ended.contains_key(status), "no order was {status}");
    }
    let Tally { reviewed, undelivered, inspected, stuck, replayed, .. } = totals.tally;
    let seldom = [reviewed, undelivered, inspected, stuck, replayed];
    assert!(!seldom.contains(&0), "reviewed, undelivered, inspected, stuck, replayed: {seldom:?}");
}

#[test]
fn fresh_seeds_hold_every_invariant() {
    let from = runtime::clock::now_ms().unsigned_abs();
    println!("fresh seeds: {from}..{}", from + FRESH);
    let totals = run(from, FRESH);
    assert!(totals.failed.is_empty(), "{} of {} seeds failed", totals.failed.len(), totals.seeds);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let used = Stage::new().expect("a stage");
    for seed in 0..TWICE {
        let fresh = Stage::new().expect("a stage");
        // With their lines from the start: a difference may not come a second time.
        let (one, other) = (fresh.trace(seed), used.trace(seed));
        assert!(one.tally.steps > 10, "seed {seed} has {} steps", one.tally.steps);
        if one.hash != other.hash {
            let (one, other) = (one.trace, other.trace);
            let at = one.iter().zip(&other).position(|(one, other)| one != other).unwrap_or(one.len().min(other.len()));
            let around = |lines: &[String]| lines[at.saturating_sub(10)..lines.len().min(at + 10)].join("\n");
            panic!("seed {seed} is two runs, from line {at} on:\n{}\n\nand\n\n{}", around(&one), around(&other));
        }
    }
}

#[test]
fn different_seeds_are_different_runs() {
    let stage = Stage::new().expect("a stage");
    assert_ne!(stage.run(1).hash, stage.run(2).hash);
}
