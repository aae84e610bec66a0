//! Outbox rows to the bus: at once after their commit, and by a relay for what did not get through.
//!
//! Promises: a row is marked sent only after Pub/Sub has it; a row not sent is tried again for as long as it takes; rows of one key
//! are handed over in the order they were written, also across failures.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Outgoing};
use futures::future::BoxFuture;
use store::outbox::{self, OutboxRow};
use store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::clock;

/// Rows the relay reads at a time.
const RELAY_BATCH: u32 = 500;
/// How long marks gather before they are written: they cost a transaction, and losing them costs a duplicate at most.
const MARK_DELAY: Duration = Duration::from_millis(50);
/// Wait before the relay tries again after a failure, doubled up to the limit below.
const FIRST_RETRY: Duration = Duration::from_millis(200);
/// How often the relay looks for rows nobody told it about.
const SWEEP: Duration = Duration::from_secs(5);
/// Longest wait between two tries of the relay.
const LAST_RETRY: Duration = Duration::from_secs(15);

/// A committed outbox row on its way to the bus.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) seq: i64,
    pub(crate) key: String,
    pub(crate) outgoing: Outgoing,
}

/// When a request publishes what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// Before it is answered: Cloud Run gives CPU only during a request.
    WithinRequest,
    /// After it is answered, for services that always have CPU.
    AfterAnswer,
}

/// One service's way from outbox to bus. Clones are the same.
#[derive(Clone)]
pub struct Publisher(Arc<Inner>);

struct Inner {
    service: &'static str,
    bus: Arc<dyn Bus>,
    store: Store,
    publishing: Publishing,
    state: Mutex<State>,
    /// Held by whoever relays: two relays side by side could hand over a key's rows in the wrong order.
    relaying: tokio::sync::Mutex<()>,
    /// Rows were sent and want to be marked.
    to_mark: Notify,
    /// Rows failed, or were found at the start, and want to be sent by the relay.
    to_relay: Notify,
}

#[derive(Default)]
struct State {
    /// Handed to the bus and not answered: the relay leaves them alone.
    under_way: HashSet<i64>,
    /// Keys with an unsent row: later rows of the key wait for the relay.
    held_keys: HashSet<String>,
    /// Sent, not yet marked.
    sent: Vec<i64>,
}

impl Publisher {
    /// A publisher for the outbox in `store`.
    #[must_use]
    pub fn new(service: &'static str, store: Store, bus: Arc<dyn Bus>, publishing: Publishing) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner {
            service,
            bus,
            store,
            publishing,
            state,
            relaying: tokio::sync::Mutex::default(),
            to_mark: Notify::new(),
            to_relay: Notify::new(),
        }))
    }

    /// Publishes committed rows, now or after the answer.
    pub(crate) fn hand_over(&self, rows: Vec<Row>) -> BoxFuture<'static, ()> {
        if rows.is_empty() {
            return Box::pin(std::future::ready(()));
        }
        let (this, rows) = (self.clone(), self.take_up(rows));
        // A task of its own also where the request waits for it: a client that goes away takes the request with it, not the publish.
        // Failed rows are the relay's from here on.
        let publishing = tokio::spawn(async move {
            this.publish(rows).await;
        });
        match self.0.publishing {
            Publishing::WithinRequest => Box::pin(async move {
                // One that panicked has left its rows to the relay, and the panic hook has logged it.
                let _ = publishing.await;
            }),
            Publishing::AfterAnswer => Box::pin(std::future::ready(())),
        }
    }

    /// Starts the relay and the marking of sent rows; stop it with [`Relay::stop`].
    #[must_use]
    pub fn start_relay(&self) -> Relay {
        let (marker, relay) = (self.clone(), self.clone());
        let marking = tokio::spawn(async move {
            loop {
                marker.0.to_mark.notified().await;
                tokio::time::sleep(MARK_DELAY).await;
                marker.mark_sent().await;
            }
        });
        let relaying = tokio::spawn(async move { relay.relay().await });
        Relay { publisher: self.clone(), tasks: [marking, relaying] }
    }

    /// Rows whose key is free; the others are left to the relay.
    fn take_up(&self, rows: Vec<Row>) -> Vec<Row> {
        let mut state = self.state();
        rows.into_iter()
            .filter(|row| {
                let free = !state.held_keys.contains(&row.key);
                if free {
                    state.under_way.insert(row.seq);
                }
                free
            })
            .collect()
    }

    async fn publish(&self, rows: Vec<Row>) -> bool {
        let (tags, messages): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| ((row.seq, row.key), row.outgoing)).unzip();
        let mut under_way = UnderWay { publisher: self, tags };
        let answers = self.0.bus.publish(messages).await;
        let tags = std::mem::take(&mut under_way.tags);
        let mut failure = None;
        {
            let mut state = self.state();
            for ((seq, key), answer) in tags.into_iter().zip(answers) {
                state.under_way.remove(&seq);
                match answer {
                    Ok(()) => state.sent.push(seq),
                    Err(error) => {
                        state.held_keys.insert(key);
                        failure = Some(error);
                    }
                }
            }
        }
        self.0.to_mark.notify_one();
        if let Some(error) = &failure {
            warn!(service = self.0.service, %error, "publishing failed, the outbox keeps the rows");
            self.0.to_relay.notify_one();
        }
        failure.is_none()
    }

    /// Sends what is unsent whenever there is reason to think there is some.
    async fn relay(&self) {
        let mut wait = FIRST_RETRY;
        loop {
            match self.relay_once().await {
                Ok(true) => {
                    wait = FIRST_RETRY;
                    // Somebody failed to publish; or a request was cut off between its commit and its publish.
                    let _ = tokio::time::timeout(SWEEP, self.0.to_relay.notified()).await;
                }
                Ok(false) => {}
                Err(error) => warn!(service = self.0.service, %error, "the relay cannot read the outbox"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_RETRY);
        }
    }

    /// Sends every unsent row that is not under way, in order. True when none is left.
    ///
    /// # Errors
    /// Of the database.
    pub async fn relay_once(&self) -> Result<bool, StoreError> {
        let _relaying = self.0.relaying.lock().await;
        self.relay_batches(usize::MAX).await
    }

    /// As [`Publisher::relay_once`], but reads at most `batches` times 500 rows and leaves the work to a relay that is at it: for those
    /// who have to answer in time.
    ///
    /// # Errors
    /// Of the database.
    pub async fn relay_up_to(&self, batches: usize) -> Result<bool, StoreError> {
        let Ok(_relaying) = self.0.relaying.try_lock() else { return Ok(false) };
        self.relay_batches(batches).await
    }

    async fn relay_batches(&self, batches: usize) -> Result<bool, StoreError> {
        let mut after = 0;
        let mut left = batches;
        let mut all_sent = true;
        let held_before: Vec<String> = self.state().held_keys.iter().cloned().collect();
        let mut failed_keys = HashSet::new();
        loop {
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            let rows = self.0.store.read(move |tx| outbox::unsent(tx, after, RELAY_BATCH)).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            let rows = self.unclaimed(rows, &failed_keys);
            if rows.is_empty() {
                continue;
            }
            info!(service = self.0.service, rows = rows.len(), "the relay sends what was left in the outbox");
            let keys: HashSet<String> = rows.iter().map(|row| row.key.clone()).collect();
            if !self.publish(rows).await {
                all_sent = false;
                failed_keys.extend(self.state().held_keys.intersection(&keys).cloned());
            }
        }
        if all_sent {
            let mut state = self.state();
            for key in held_before {
                state.held_keys.remove(&key);
            }
            all_sent = state.held_keys.is_empty();
        }
        Ok(all_sent)
    }

    fn unclaimed(&self, rows: Vec<OutboxRow>, failed_keys: &HashSet<String>) -> Vec<Row> {
        let mut state = self.state();
        let sent: HashSet<i64> = state.sent.iter().copied().collect();
        let rows: Vec<Row> = rows
            .into_iter()
            .filter(|row| !state.under_way.contains(&row.seq) && !sent.contains(&row.seq))
            .filter(|row| !failed_keys.contains(&row.key))
            .map(to_row)
            .collect();
        state.under_way.extend(rows.iter().map(|row| row.seq));
        rows
    }

    /// Writes the marks that have gathered. They stay gathered until they are written, so that the relay sends none again.
    pub(crate) async fn mark_sent(&self) {
        let marks = self.state().sent.clone();
        if marks.is_empty() {
            return;
        }
        let written: HashSet<i64> = marks.iter().copied().collect();
        match self.0.store.write(clock::now_ms(), move |tx| outbox::mark_sent(tx, &marks)).await {
            Ok(()) => self.state().sent.retain(|seq| !written.contains(seq)),
            Err(error) => {
                warn!(service = self.0.service, %error, "sent rows could not be marked, trying again");
                self.0.to_mark.notify_one();
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics while it holds the publisher's state")
    }
}

/// Rows that the bus was given. Should nobody live to hear its answer, because the publish panicked or was dropped, the relay sends them.
struct UnderWay<'a> {
    publisher: &'a Publisher,
    tags: Vec<(i64, String)>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.tags.is_empty() {
            return;
        }
        {
            let mut state = self.publisher.state();
            for (seq, key) in self.tags.drain(..) {
                state.under_way.remove(&seq);
                state.held_keys.insert(key);
            }
        }
        self.publisher.0.to_relay.notify_one();
    }
}

fn to_row(row: OutboxRow) -> Row {
    let outgoing = Outgoing {
        topic: row.topic,
        ordering_key: String::new(),
        attributes: serde_json::from_str(&row.attributes).expect("the outbox holds what `push_row` wrote"),
        data: row.data.into_bytes().into(),
    };
    Row { seq: row.seq, key: row.key, outgoing }
}

/// The running relay of a service.
pub struct Relay {
    publisher: Publisher,
    tasks: [JoinHandle<()>; 2],
}

impl Relay {
    /// Stops relaying and writes the last marks.
    pub async fn stop(self) {
        self.kill();
        self.publisher.mark_sent().await;
    }

    /// Stops relaying, as a crash does: rows that were sent and not marked are sent again by the next run.
    pub(crate) fn kill(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
