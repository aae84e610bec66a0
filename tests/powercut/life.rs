//! The life of one shop: orders, a power cut, recovery, audit, again and again.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use force::audit::Books;
use force::clients::{Clients, Counter};
use force::disk::Disk;
use force::goods;
use force::notes::Notes;
use runtime::clock::Stopwatch;
use tempfile::TempDir;

use crate::outcome::Cut;
use crate::shop::{self, BOUTIQUE, Shop};

/// Bytes of the disk. Its file takes what is written of them.
const DISK_BYTES: u64 = 2 << 30;
/// Clients that order at once.
const CLIENTS: usize = 12;
/// Clients do not wait between orders.
const NO_PAUSE: Duration = Duration::ZERO;
/// When the power goes, in milliseconds since the first answer; how long that answer is waited for, and how often it is looked for.
const CUT_AFTER_MS: std::ops::Range<u64> = 0..2_000;
const FIRST_ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long the shop and its clients go on without power, in milliseconds: it may not make worse what is on the disk.
const AGONY_MS: std::ops::Range<u64> = 0..150;
/// One start in so many is cut off too, after so many milliseconds; at most so many in a row.
const CUTS_A_START: u32 = 4;
const CUT_START_AFTER_MS: std::ops::Range<u64> = 0..700;
const MOST_CUT_STARTS: u32 = 3;
/// How long orders may take to come to rest.
const REST: Duration = Duration::from_secs(90);
/// A planted mistake leaves orders that never come to rest.
const REST_OF_A_MISTAKE: Duration = Duration::from_secs(15);

/// A shop that lives on a disk of its own. The notes lie elsewhere.
pub(crate) struct Life {
    // In the order they are to be dropped: the shop lets go of its files before the disk is unmounted.
    shop: Option<Shop>,
    disk: Disk,
    notes: Arc<Notes>,
    outside: TempDir,
    mistake: Option<&'static str>,
}

impl Life {
    /// Starts and fills a shop. `None` without root.
    pub(crate) async fn begin(mistake: Option<&'static str>) -> Option<Life> {
        let disk = Disk::make(DISK_BYTES)?;
        let outside = tempfile::tempdir().expect("a folder");
        let notes = Arc::new(Notes::open(outside.path()));
        let mut life = Life { shop: None, disk, notes, outside, mistake };
        let mut shop = life.start();
        shop.up().await;
        let (inventory, furniture, crm) = (shop.peer("inventory"), shop.peer("furniture"), shop.peer("crm"));
        goods::fill(&inventory, &furniture, &crm).await.expect("products and customers");
        life.shop = Some(shop);
        Some(life)
    }

    /// Orders, cuts the power at a moment drawn from `seed`, lets the shop recover and audits it.
    pub(crate) async fn cut(&mut self, seed: u64) -> Cut {
        let mut dice = Rng::with_seed(seed);
        let shop = self.shop.take().expect("a shop runs between two cuts");
        let before = self.notes.answered_count();
        let clients = Clients::start(&self.counter(&shop), CLIENTS, &format!("cut-{seed}"), NO_PAUSE, &mut dice);
        let watch = Stopwatch::start();
        while self.notes.answered_count() == before && watch.elapsed() < FIRST_ANSWER_WITHIN {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        pause(&mut dice, CUT_AFTER_MS).await;
        // A machine without power answers nobody; and a flush that is under way when ext4 is shut down may be answered all the same.
        self.notes.doubt(true);
        self.disk.cut();
        pause(&mut dice, AGONY_MS).await;
        shop.kill_9();
        clients.stop().await;
        self.notes.doubt(false);
        let (orders, unanswered) = (self.notes.answered_count() - before, self.notes.waiting().len());

        let (mut shop, cuts_at_start, power) = self.start_in_spite_of_cuts(&mut dice).await;
        shop.up().await;
        let recovered_ms = power.elapsed_ms();
        let problems = self.problems(&shop, &mut dice).await;
        self.shop = Some(shop);
        Cut { seed, orders, unanswered, cuts_at_start, recovered_ms, problems }
    }

    /// The end of what the shop logged.
    pub(crate) fn said(&self) -> String {
        shop::said(&self.outside.path().join("up.log"))
    }

    /// Gives the power back and starts the shop; now and then it goes again while the shop is starting.
    async fn start_in_spite_of_cuts(&mut self, dice: &mut Rng) -> (Shop, u32, Stopwatch) {
        let mut cuts = 0;
        loop {
            self.disk.unmount();
            let power = Stopwatch::start();
            self.disk.mount();
            let shop = self.start();
            if cuts == MOST_CUT_STARTS || dice.u32(..CUTS_A_START) != 0 {
                return (shop, cuts, power);
            }
            pause(dice, CUT_START_AFTER_MS).await;
            self.disk.cut();
            shop.kill_9();
            cuts += 1;
        }
    }

    fn start(&self) -> Shop {
        Shop::start(&self.disk.at().join("data"), &self.outside.path().join("up.log"), self.mistake)
    }

    fn counter(&self, shop: &Shop) -> Counter {
        Counter { gateway: shop.peer("gateway"), notes: Arc::clone(&self.notes) }
    }

    /// What is not as it must be, once everything has come to rest.
    async fn problems(&self, shop: &Shop, dice: &mut Rng) -> Vec<String> {
        let mut problems = Vec::new();
        let unanswered = self.counter(shop).ask_again(dice).await;
        if unanswered > 0 {
            problems.push(format!("{unanswered} orders are not answered, however often they are asked for"));
        }
        problems.extend(self.notes.changed());
        std::fs::write(self.outside.path().join("addresses.json"), shop.addresses()).expect("a folder to write to");
        shop.lend_key(self.outside.path());
        let databases = self.disk.at().join("data");
        let books = Books { boutique: BOUTIQUE, notes: self.notes.folder(), databases: &databases };
        let rest = if self.mistake.is_some() { REST_OF_A_MISTAKE } else { REST };
        let oms = shop.peer("oms");
        match books.audit_at_rest(&oms, rest).await {
            Err(reason) => problems.push(format!("the books cannot be audited: {reason}")),
            Ok(report) => {
                problems.extend(report.violations());
                let open = report.open_orders.iter();
                problems
                    .extend(open.map(|order| format!("order {} {}: {}", order.order_id, order.status, order.missing)));
                problems.extend(report.dead_letters.iter().map(|letter| format!("dead letter: {letter}")));
            }
        }
        problems.extend(self.notes.cancelled_in_vain(&oms).await);
        problems
    }
}

async fn pause(dice: &mut Rng, milliseconds: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(dice.u64(milliseconds))).await;
}
