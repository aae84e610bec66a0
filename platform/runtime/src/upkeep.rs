//! What a service does once a minute besides its reactions: relay, purge, chores.
//!
//! Where there is CPU only during requests, timers stand still between them, and the delivery of a minute is the request that work is
//! done in. Where there always is CPU it does no harm: a run that finds another at work leaves the work to it.

use std::sync::Arc;

use events::Timestamp;
use events::topology::limits::{INBOX_DAYS, OUTBOX_DAYS};
use futures::future::BoxFuture;
use store::{StoreError, Tx, attempts, inbox, outbox};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::transactor::Transactor;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Rows of a table looked at in one transaction of the purge.
const PURGE_BATCH: u32 = 500;
/// Transactions of the purge for one table and minute: 10,000 rows a minute, more than a busy shop writes.
const PURGE_BATCHES: u32 = 20;
/// Batches of the outbox that one minute relays, each of up to 500 rows: to be done well before the ack deadline.
const RELAY_BATCHES: usize = 10;

/// Work a service does again and again, by a timer and with every minute. It is bounded, and finds out by itself what is due.
#[derive(Clone)]
pub struct Chore(Arc<Inner>);

struct Inner {
    work: Box<dyn Fn(Timestamp) -> BoxFuture<'static, ()> + Send + Sync>,
    /// Held while it runs: it never runs beside itself.
    running: Mutex<()>,
}

impl Chore {
    /// A chore.
    #[must_use]
    pub fn new<F, Fut>(work: F) -> Self
    where
        F: Fn(Timestamp) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let work = Box::new(move |now| -> BoxFuture<'static, ()> { Box::pin(work(now)) });
        Self(Arc::new(Inner { work, running: Mutex::new(()) }))
    }

    /// Does it, unless it is being done.
    pub async fn run(&self, now: Timestamp) {
        if let Ok(_running) = self.0.running.try_lock() {
            (self.0.work)(now).await;
        }
    }
}

/// The upkeep of one service. Clones are the same.
#[derive(Clone)]
pub struct Upkeep {
    transactor: Transactor,
    chores: Vec<Chore>,
    running: Arc<Mutex<()>>,
}

impl Upkeep {
    /// The upkeep of the service behind `transactor`.
    #[must_use]
    pub fn new(transactor: Transactor, chores: Vec<Chore>) -> Self {
        Self { transactor, chores, running: Arc::default() }
    }

    /// Sends what is unsent, does the chores, forgets what is too old to matter. What fails is tried again with the next minute.
    pub async fn run(&self, now: Timestamp) {
        let Ok(_running) = self.running.try_lock() else { return };
        if let Err(error) = self.transactor.publisher().relay_up_to(RELAY_BATCHES).await {
            warn!(%error, "the outbox could not be read");
        }
        for chore in &self.chores {
            chore.run(now).await;
        }
        self.transactor.publisher().mark_sent().await;
        if let Err(error) = self.purge(now.as_millisecond()).await {
            warn!(%error, "old rows could not be purged");
        }
    }

    /// Forgets claims and failures after 21 days and what was sent after 35.
    ///
    /// # Errors
    /// Of the database.
    async fn purge(&self, now_ms: i64) -> Result<(), StoreError> {
        let before = |days: u32| now_ms - i64::from(days) * DAY_MS;
        let (heard, said) = (before(INBOX_DAYS), before(OUTBOX_DAYS));
        let purged = [
            self.purge_one(now_ms, move |tx| inbox::purge(tx, heard, PURGE_BATCH)).await?,
            self.purge_one(now_ms, move |tx| attempts::purge(tx, heard, PURGE_BATCH)).await?,
            self.purge_one(now_ms, move |tx| outbox::purge_sent(tx, said, PURGE_BATCH)).await?,
        ];
        let [claims, failures, sent] = purged;
        if purged != [0; 3] {
            info!(rows.inbox = claims, rows.attempts = failures, rows.outbox = sent, "purged old rows");
        }
        Ok(())
    }

    async fn purge_one(
        &self,
        now_ms: i64,
        batch: impl Fn(&mut Tx<'_>) -> Result<u64, StoreError> + Copy + Send + 'static,
    ) -> Result<u64, StoreError> {
        let mut purged = 0;
        for _ in 0..PURGE_BATCHES {
            let count = self.transactor.store().write(now_ms, batch).await?;
            purged += count;
            if count < u64::from(PURGE_BATCH) {
                break;
            }
        }
        Ok(purged)
    }
}
