//! Faults, one after the other and several at a time, never two at once on the same part.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use runtime::clock::Stopwatch;
use tokio::task::JoinSet;

use crate::fault::{Fault, Kind};
use crate::shop::Shop;

/// Milliseconds between two faults.
const EVERY_MS: std::ops::Range<u64> = 300..1_500;

/// The faults of a run.
pub(crate) struct Storm {
    shop: Arc<Shop>,
    dice: Rng,
    hit: BTreeSet<&'static str>,
    under_way: JoinSet<&'static str>,
    kills: u64,
}

impl Storm {
    pub(crate) fn new(shop: Arc<Shop>, dice: Rng) -> Storm {
        Storm { shop, dice, hit: BTreeSet::new(), under_way: JoinSet::new(), kills: 0 }
    }

    /// How often a part was killed.
    pub(crate) fn kills(&self) -> u64 {
        self.kills
    }

    /// Lets things go wrong for so long, then waits until the last fault is over.
    pub(crate) async fn blow(&mut self, long: Duration) {
        let watch = Stopwatch::start();
        let parts: Vec<&'static str> = self.shop.names().collect();
        let small_disk = self.shop.small_disk().map(|(name, _)| name);
        while watch.elapsed() < long {
            while let Some(over) = self.under_way.try_join_next() {
                self.hit.remove(over.expect("a fault does not panic"));
            }
            parts.iter().filter(|part| !self.hit.contains(*part)).for_each(|part| self.shop.tend(part));
            let fault = Fault::draw(&mut self.dice, &parts, small_disk);
            let wait = Duration::from_millis(self.dice.u64(EVERY_MS));
            // One that would hit a part in trouble is left out, so that the draw stays that of the seed.
            if self.hit.insert(fault.part) {
                println!("{:7.1} s  {fault}", watch.elapsed().as_secs_f64());
                self.kills += u64::from(fault.kind == Kind::Kill);
                let shop = Arc::clone(&self.shop);
                self.under_way.spawn(async move {
                    fault.happen(&shop).await;
                    fault.part
                });
            }
            tokio::time::sleep(wait).await;
        }
        while let Some(over) = self.under_way.join_next().await {
            self.hit.remove(over.expect("a fault does not panic"));
        }
    }
}
