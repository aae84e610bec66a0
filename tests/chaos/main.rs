#![doc = include_str!("README.md")]

use std::env;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use force::clients::{Clients, Counter};
use force::goods;
use force::notes::Notes;

mod engine;
mod fault;
mod shop;
mod storm;
mod verdict;

use shop::Shop;
use storm::Storm;
use verdict::Verdict;

/// How long the faults last, and where the draw starts.
const SECONDS: &str = "BOUTIQUE_CHAOS_SECONDS";
const SEED: &str = "BOUTIQUE_CHAOS_SEED";
/// Seconds of faults unless told otherwise.
const DEFAULT_SECONDS: u64 = 45;
/// Kills that a run has at least, per minute of faults.
const KILLS_A_MINUTE: u64 = 5;
/// Clients that order at once, and how long each waits between two orders: the machine is shared with a dozen services.
const CLIENTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_whose_parts_die_hang_and_starve_loses_nothing_doubles_nothing_and_names_what_is_stuck() {
    let (seconds, seed) =
        (number(SECONDS).unwrap_or(DEFAULT_SECONDS), number(SEED).unwrap_or_else(|| Rng::new().u64(..)));
    println!("{seconds} s of faults, {SEED}={seed}");
    let mut dice = Rng::with_seed(seed);
    let shop = Arc::new(Shop::open(&mut dice).await);
    goods::fill(&shop.peer("inventory"), &shop.peer("furniture"), &shop.peer("crm")).await.expect("goods");
    let notes = Arc::new(Notes::open(shop.folder()));
    let counter = Counter { gateway: shop.peer("gateway"), notes: Arc::clone(&notes) };

    let clients = Clients::start(&counter, CLIENTS, "chaos", PAUSE, &mut dice);
    let mut storm = Storm::new(Arc::clone(&shop), dice.fork());
    storm.blow(Duration::from_secs(seconds)).await;
    clients.stop().await;
    shop.heal().await;

    let verdict = Verdict::reach(&shop, &counter, &mut dice, storm.kills()).await;
    println!("{verdict}");
    assert!(storm.kills() >= seconds * KILLS_A_MINUTE / 60, "only {} kills in {seconds} s", storm.kills());
    assert!(verdict.orders > 0, "nobody could order anything");
    assert_eq!(verdict.wrongs(), Vec::<String>::new(), "{verdict}");
    assert_eq!(shop.ended_by_themselves(), Vec::<String>::new());
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
