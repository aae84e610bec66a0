#![doc = include_str!("README.md")]

use std::env;

use fastrand::Rng;
use tokio::sync::Mutex;

mod life;
mod outcome;
mod shop;

use life::Life;
use outcome::{Cut, Totals};

/// How many cuts, and where the draw starts.
const CUTS: &str = "BOUTIQUE_POWER_CUTS";
const SEED: &str = "BOUTIQUE_POWER_SEED";
/// Cuts unless told otherwise.
const DEFAULT_CUTS: u64 = 10;
/// Cuts in the life of one shop. Its books grow from cut to cut, and the audit reads them all.
const CUTS_OF_A_LIFE: u64 = 20;
/// Cuts within which a planted mistake must be seen.
const MISTAKE_SEEN_WITHIN: u64 = 5;

/// A shop and its clients take the whole machine: one at a time, and recovery times mean something.
static MACHINE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_is_missing_after_power_cuts_and_the_books_add_up() {
    let _machine = MACHINE.lock().await;
    let (cuts, first_seed) = (number(CUTS).unwrap_or(DEFAULT_CUTS), number(SEED).unwrap_or_else(|| Rng::new().u64(..)));
    println!("{cuts} power cuts, {SEED}={first_seed}");
    let mut totals = Totals::default();
    let mut life = None;
    for turn in 0..cuts {
        let seed = first_seed.wrapping_add(turn);
        if turn % CUTS_OF_A_LIFE == 0 {
            // The one before gives its file system back first.
            drop(life.take());
            life = Life::begin(None).await;
        }
        let Some(life) = &mut life else { return };
        let cut = life.cut(seed).await;
        println!("{cut}");
        if !cut.problems.is_empty() {
            eprintln!("{}", life.said());
        }
        totals.add(cut);
    }
    drop(life);
    println!("{totals}");
    assert_eq!(totals.problems, Vec::<String>::new(), "{totals}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_do_not_wait_for_the_disk_are_seen_to_be_lost() {
    let _machine = MACHINE.lock().await;
    let Some(seen) = seen("sqlite-synchronous-normal").await else { return };
    assert!(seen.problems.iter().any(|problem| problem.contains("checkout does not know it")), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_wait_for_the_disk_is_seen_to_lose_messages() {
    let _machine = MACHINE.lock().await;
    let Some(seen) = seen("broker-without-sync").await else { return };
    assert!(seen.problems.iter().any(|problem| problem.contains("has not handled")), "{seen}");
}

#[test]
fn a_mistake_that_this_build_cannot_make_is_refused() {
    let mut command = std::process::Command::new(shop::BOUTIQUE);
    let refused = command.arg("topology").env("BOUTIQUE_PLANT", "misprint").output().expect("the binary runs");
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("misprint"));
}

/// The first cut after which a planted mistake shows. `None` where nothing can be cut, or no mistake be planted.
async fn seen(mistake: &'static str) -> Option<Cut> {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: only debug builds can make the mistake {mistake}");
        return None;
    }
    let mut life = Life::begin(Some(mistake)).await?;
    for seed in 0..MISTAKE_SEEN_WITHIN {
        let cut = life.cut(seed).await;
        println!("{mistake}: {cut}");
        if !cut.problems.is_empty() {
            return Some(cut);
        }
    }
    panic!("{mistake} was not seen within {MISTAKE_SEEN_WITHIN} cuts");
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
