//! Dead letters from Pub/Sub into the database. A letter is acked after the commit that keeps it, and not before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Letter, Letters};
use events::topology;
use runtime::replay::{EventKey, Fate};
use store::{Store, StoreError};
use tracing::{debug, info, warn};

use crate::incoming::{self, Incoming, Kind};
use crate::limits::{INGEST_ALARM, INGEST_BATCH, INGEST_PATIENCE, INGEST_PERIOD, INGEST_RETRY};
use crate::peers::Peers;
use crate::rows::letters;

/// Takes letters in.
#[derive(Clone)]
pub struct Ingest {
    store: Store,
    letters: Arc<dyn Letters>,
    peers: Peers,
    /// How long to leave each subscription alone that could not be read.
    waits: Arc<Mutex<HashMap<&'static str, Duration>>>,
}

impl Ingest {
    pub(crate) fn new(store: Store, letters: Arc<dyn Letters>, peers: Peers) -> Self {
        Self { store, letters, peers, waits: Arc::default() }
    }

    /// Takes in what waits for one consumer, waiting a little for the first. Answers how many letters were kept and acked; trouble is
    /// logged, and what was not kept comes again.
    pub async fn take(&self, consumer: &'static str, now_ms: i64) -> usize {
        let subscription = topology::dead_letters(consumer);
        match self.letters.pull(&subscription, INGEST_BATCH, INGEST_PATIENCE).await {
            Ok(pulled) => {
                self.waits().remove(consumer);
                if pulled.is_empty() { 0 } else { self.keep(consumer, pulled, now_ms).await }
            }
            Err(error) => {
                let wait = {
                    let mut waits = self.waits();
                    let wait = waits.entry(consumer).or_insert(INGEST_PERIOD);
                    *wait = (*wait * 2).min(INGEST_RETRY);
                    *wait
                };
                // At the start of a shop the subscriptions may not be there yet.
                if wait >= INGEST_ALARM {
                    warn!(consumer, %error, wait_ms = wait.as_millis(), "the dead letters cannot be read");
                } else {
                    debug!(consumer, %error, wait_ms = wait.as_millis(), "the dead letters cannot be read yet");
                }
                tokio::time::sleep(wait).await;
                0
            }
        }
    }

    async fn keep(&self, consumer: &'static str, pulled: Vec<Letter>, now_ms: i64) -> usize {
        let mut all: Vec<Incoming> = pulled.iter().map(|letter| incoming::read(consumer, letter)).collect();
        self.ask_reasons(consumer, &mut all).await;
        let kept = self.store.write(now_ms, move |tx| {
            let mut new = 0;
            for one in &all {
                new += usize::from(letters::keep(tx, one)?);
            }
            Ok::<_, StoreError>(new)
        });
        match kept.await {
            Ok(new) => {
                info!(consumer, letters = pulled.len(), new, "dead letters were kept");
                let count = pulled.len();
                pulled.into_iter().for_each(|letter| letter.receipt.ack());
                count
            }
            Err(error) => {
                // The receipts are dropped: Pub/Sub delivers the letters again.
                warn!(consumer, %error, "dead letters could not be kept, they come again");
                0
            }
        }
    }

    /// Pub/Sub's own policy knows no reason. The consumer may: it kept every failure it lived to see.
    async fn ask_reasons(&self, consumer: &str, all: &mut [Incoming]) {
        let mut unexplained: Vec<&mut Incoming> = all.iter_mut().filter(|one| one.death.kind == Kind::PubSub).collect();
        if unexplained.is_empty() {
            return;
        }
        let key = |one: &&mut Incoming| EventKey { source: one.source.clone(), id: one.event_id.clone() };
        let keys = unexplained.iter().map(key).collect();
        // A consumer that is down cannot say; the letter is kept all the same.
        let Ok(fates) = self.peers.fates(consumer, keys).await else { return };
        for (one, fate) in unexplained.iter_mut().zip(fates) {
            if let Fate::Failed { code, reason, fingerprint, .. } = fate {
                one.death.code = code;
                one.death.reason = reason;
                one.death.fingerprint = fingerprint;
            }
        }
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Duration>> {
        self.waits.lock().expect("nothing panics while it holds the waits")
    }
}
