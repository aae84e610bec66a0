//! Everything the doors share: topics, subscriptions, the way to the log.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use delivery::{Backoff, PUSH, source_attributes};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::error::{Code, Refusal};
use crate::faults::Dice;
use crate::identity::Identity;
use crate::log::{Destination, Log, LogView, Publish, Recent, SavedCatalogue, SavedTopic, Stored, save_catalogue};
use crate::message::{self, Incoming};
use crate::schema::Schema;
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::subscription::{Ground, Missed, Subscription};
use crate::sync::read;
use crate::topic::Topic;
use crate::{limits, names, push, retention, warehouse};

/// What a running broker is made of.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) dice: Arc<Dice>,
    pub(crate) log: Log,
    pub(crate) recent: Arc<Recent>,
    pub(crate) topics: RwLock<HashMap<String, Arc<Topic>>>,
    pub(crate) subscriptions: RwLock<HashMap<String, Arc<Subscription>>>,
    pub(crate) snapshots: RwLock<HashMap<String, Arc<Snapshot>>>,
    pub(crate) schemas: RwLock<HashMap<String, Arc<Schema>>>,
    /// Number of the last topic, subscription or schema revision. Changed by the log's writer only.
    pub(crate) last_number: AtomicU32,
    pub(crate) last_owner: AtomicU64,
    /// True once the broker stops.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) pushers: tokio::sync::Mutex<HashMap<u32, JoinHandle<()>>>,
    pub(crate) identity: Identity,
    pub(crate) tls: tls::Tls,
}

impl Core {
    pub(crate) fn topic(&self, name: &str) -> Result<Arc<Topic>, Refusal> {
        read(&self.topics).get(name).cloned().ok_or_else(|| Refusal::not_found("Topic", name))
    }

    pub(crate) fn subscription(&self, name: &str) -> Result<Arc<Subscription>, Refusal> {
        read(&self.subscriptions).get(name).cloned().ok_or_else(|| Refusal::not_found("Subscription", name))
    }

    /// A subscription that still has its topic.
    pub(crate) fn attached(&self, name: &str) -> Result<Arc<Subscription>, Refusal> {
        let subscription = self.subscription(name)?;
        if subscription.is_detached() {
            return Err(Refusal::new(
                Code::FailedPrecondition,
                format!("Subscription is detached from its topic: {name}"),
            ));
        }
        Ok(subscription)
    }

    pub(crate) fn snapshot(&self, name: &str) -> Result<Arc<Snapshot>, Refusal> {
        read(&self.snapshots).get(name).cloned().ok_or_else(|| Refusal::not_found("Snapshot", name))
    }

    pub(crate) fn schema(&self, name: &str) -> Result<Arc<Schema>, Refusal> {
        read(&self.schemas).get(name).cloned().ok_or_else(|| Refusal::not_found("Schema", name))
    }

    /// What a new subscription stands on.
    pub(crate) fn ground(&self) -> Ground {
        Ground { log: self.log.clone(), clock: self.clock, fast: self.settings.fast, dice: Arc::clone(&self.dice) }
    }

    /// All subscriptions.
    pub(crate) fn all_subscriptions(&self) -> Vec<Arc<Subscription>> {
        read(&self.subscriptions).values().cloned().collect()
    }

    /// Publishes checked messages and gives the id of the first once all are on disk.
    pub(crate) async fn publish(&self, topic: Arc<Topic>, messages: Vec<Incoming>) -> Result<u64, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.log.publish(Publish { to: topic as Arc<dyn Destination>, messages, answer })?;
        answered.await.unwrap_or_else(|_| Err(Refusal::unavailable("the broker is stopping")))
    }

    /// Runs a change of the catalogue on the log's writer, between two groups.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Core>,
        change: impl FnOnce(&Core, &LogView) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let core = Arc::clone(self);
        self.log.admin(Box::new(move |log| {
            let changed = change(&core, log);
            core.claim();
            // A caller that is gone needs no answer.
            let _ = answer.send(changed);
        }))?;
        answered.await.unwrap_or_else(|_| Err(Refusal::unavailable("the broker is stopping")))
    }

    /// Tells the log what keeps messages that nobody is owed.
    fn claim(&self) {
        self.log.claims().set(retention::claims(
            read(&self.topics).values(),
            read(&self.subscriptions).values(),
            read(&self.snapshots).values(),
        ));
    }

    /// The catalogue as it is.
    pub(crate) fn catalogue(&self) -> SavedCatalogue {
        SavedCatalogue {
            topics: read(&self.topics).values().map(|t| SavedTopic { number: t.number, config: t.config() }).collect(),
            subscriptions: read(&self.subscriptions).values().map(|s| s.saved()).collect(),
            snapshots: read(&self.snapshots).values().map(|s| s.saved()).collect(),
            last_number: self.last_number.load(Ordering::Acquire),
            schemas: read(&self.schemas)
                .values()
                .flat_map(|s| s.revisions().iter().map(|r| r.config.clone()).collect::<Vec<_>>())
                .collect(),
        }
    }

    /// Puts a catalogue on disk.
    pub(crate) fn save(&self, catalogue: &SavedCatalogue) -> Result<(), Refusal> {
        save_catalogue(&self.settings.data, catalogue).map_err(|error| {
            tracing::warn!(%error, "a change of topics or subscriptions is refused: it cannot be stored");
            Refusal::unavailable(format!("the change cannot be stored: {error}"))
        })
    }

    /// The payload of a stored message.
    ///
    /// Reading a file in an async task is deliberate: what is not in memory is nearly always in the page cache, and
    /// a hop to a blocking thread costs ten times the read.
    pub(crate) fn payload(&self, stored: &Stored) -> io::Result<Bytes> {
        match self.recent.get(stored.id) {
            Some(payload) => Ok(payload),
            None => stored.segment.read(stored.offset, stored.len),
        }
    }

    /// Publishes messages that used up their attempts to the dead-letter topic, each in a task of its own, and goes
    /// on with their keys. What cannot be forwarded comes again.
    pub(crate) fn forward(self: &Arc<Core>, subscription: &Arc<Subscription>, missed: Vec<Missed>) {
        self.forward_because(subscription, missed.into_iter().map(|missed| (missed, None)).collect());
    }

    /// The same, with why each could not be delivered where that is known: its dead letter says so.
    pub(crate) fn forward_because(
        self: &Arc<Core>,
        subscription: &Arc<Subscription>,
        missed: Vec<(Missed, Option<String>)>,
    ) {
        for (missed, reason) in missed {
            let (core, subscription) = (Arc::clone(self), Arc::clone(subscription));
            tokio::spawn(async move {
                let id = missed.message.id;
                if let Err(refusal) = core.forward_one(&subscription, &missed, reason).await {
                    tracing::warn!(
                        subscription = %subscription.name, message.id = id, reason = refusal.message,
                        "a dead letter cannot be published; the message is delivered again"
                    );
                    subscription.not_forwarded(id, core.push_backoff().after(u32::from(missed.attempts)));
                }
            });
        }
    }

    async fn forward_one(
        &self,
        subscription: &Subscription,
        missed: &Missed,
        reason: Option<String>,
    ) -> Result<(), Refusal> {
        let terms = subscription.terms();
        let policy = terms.dead_letter.as_ref().ok_or_else(|| Refusal::invalid("no dead-letter policy"))?;
        let topic = self.topic(&policy.topic)?;
        let stored = &missed.message;
        let payload = self.payload(stored).map_err(|e| Refusal::unavailable(e.to_string()))?;
        let source =
            source_attributes(&subscription.name, missed.attempts, message::rfc3339(stored.publish_ms, "+00:00"));
        let reason = reason.map(|mut reason| {
            reason.truncate(reason.floor_char_boundary(limits::WAREHOUSE_REASON_BYTES));
            ("CloudPubSubDeadLetterSourceDeliveryErrorMessage", reason)
        });
        let source: Vec<_> = source.iter().chain(&reason).map(|(key, value)| (*key, value.as_str())).collect();
        let letter = Incoming { payload: message::dead_letter(&payload, &source), key: stored.key };
        self.publish(topic, vec![letter]).await?;
        if let Err(error) = subscription.forwarded(stored.id) {
            tracing::warn!(%error, "a dead letter's ack is not on disk; a restart may forward it again");
        }
        Ok(())
    }

    /// The service's waits after failed pushes.
    pub(crate) fn push_backoff(&self) -> Backoff {
        let max_ms = if self.settings.fast { limits::PUSH_BACKOFF_FAST_MAX_MS } else { limits::PUSH_BACKOFF_MAX_MS };
        Backoff { min_ms: limits::PUSH_BACKOFF_MIN_MS, max_ms }
    }

    /// Starts, stops or restarts the pushes of a subscription, as its configuration now says.
    pub(crate) async fn refresh_pusher(self: &Arc<Core>, subscription: &Arc<Subscription>) {
        let mut pushers = self.pushers.lock().await;
        if let Some(pusher) = pushers.remove(&subscription.number) {
            pusher.abort();
            // It ends by being cancelled, which is what was asked.
            let _ = pusher.await;
            subscription.abandon(PUSH);
        }
        let works = !subscription.is_deleted() && !subscription.is_detached() && !*self.stopping.borrow();
        let config = subscription.config();
        if let Some(bigquery) = config.bigquery_config.filter(|_| works) {
            pushers.extend(warehouse::start(self, subscription, bigquery).map(|w| (subscription.number, w)));
            return;
        }
        let target = config.push_config.and_then(|config| push::Target::of(&config));
        let Some(target) = target.filter(|_| works) else { return };
        match target {
            Ok(target) => {
                let pusher = push::run(Arc::clone(self), Arc::clone(subscription), target);
                pushers.insert(subscription.number, tokio::spawn(pusher));
            }
            Err(error) => tracing::warn!(%error, subscription = %subscription.name, "the push endpoint is no URL"),
        }
    }

    /// A number for a new stream.
    pub(crate) fn new_owner(&self) -> u64 {
        self.last_owner.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Whether a resource belongs to a project.
pub(crate) fn in_project(name: &str, project: &str) -> bool {
    names::project_of(name) == project
}
