//! A subscription: the lock around its backlog, and the acks that go to disk.

mod seek;
mod settle;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use delivery::{Backlog, Filter, Owner, Policy, Take, parse_filter};
use google_cloud_googleapis::pubsub::v1 as pb;
use tokio::sync::Notify;

pub(crate) use self::seek::Sought;
use crate::clock::Clock;
use crate::error::{Code, Refusal};
use crate::faults::Dice;
use crate::log::{Ack, Log, SavedSubscription, Stored};
use crate::message::MessageView;
use crate::sync::{lock, read, write};
use crate::terms::Terms;
use crate::topic::Topic;

/// A message given out.
pub(crate) type Delivery = delivery::Delivery<Stored>;
/// A message that used up its attempts.
pub(crate) type Missed = delivery::Missed<Stored>;
type Nacked = delivery::Nacked<Stored>;

/// What all subscriptions share.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    /// See [`crate::Settings::fast`].
    pub(crate) fast: bool,
    pub(crate) dice: Arc<Dice>,
}

/// A subscription, alive or deleted.
pub(crate) struct Subscription {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) topic: Arc<Topic>,
    /// The first message id that belongs to it. A seek may lower it.
    from_id: AtomicU64,
    /// Messages published before this wall time are dropped: a seek to the future.
    skip_until_ms: AtomicU64,
    pub(crate) filter: Option<Filter>,
    terms: RwLock<Arc<Terms>>,
    backlog: Mutex<Backlog<Stored>>,
    /// Held from the ack of a message to the writing down of it: the ack files must tell acks and seeks in the order in which
    /// they happened, and who acks a message a second time must not be answered before the first ack is written.
    settling: Mutex<()>,
    /// Told whenever there may be something to take.
    pub(crate) wake: Notify,
    deleted: AtomicBool,
    /// Wall time of the last sign of a subscriber.
    used_ms: AtomicU64,
    pub(crate) counts: Counts,
    ground: Ground,
}

/// What happened to messages since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) delivered: AtomicU64,
    pub(crate) acked: AtomicU64,
    pub(crate) nacked: AtomicU64,
    pub(crate) dead_lettered: AtomicU64,
}

impl Counts {
    pub(crate) fn add(count: &AtomicU64, by: usize) {
        count.fetch_add(by as u64, Ordering::Relaxed);
    }
}

/// What a turn at the backlog gave.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) deliveries: Vec<Delivery>,
    /// Messages to forward to the dead-letter topic.
    pub(crate) missed: Vec<Missed>,
    /// When time alone changes something.
    pub(crate) next_due: Option<u64>,
}

impl Subscription {
    /// A subscription with an empty backlog. Its configuration was checked when it was created.
    pub(crate) fn new(saved: SavedSubscription, topic: Arc<Topic>, ground: &Ground) -> Subscription {
        let SavedSubscription { number, from_id, config, skip_until_ms, .. } = saved;
        let terms = Terms::of(config, ground.fast);
        let config = &terms.config;
        let policy = Policy {
            ordered: config.enable_message_ordering,
            retry: terms.retry,
            dead_letter: terms.dead_letter.clone(),
        };
        #[allow(clippy::cast_possible_truncation, reason = "only differs from run to run")]
        let lease = ground.clock.wall_ms() as u32;
        Subscription {
            number,
            name: config.name.clone(),
            topic,
            from_id: AtomicU64::new(from_id),
            skip_until_ms: AtomicU64::new(skip_until_ms),
            filter: if config.filter.is_empty() { None } else { parse_filter(&config.filter).ok() },
            backlog: Mutex::new(Backlog::new(policy, lease)),
            terms: RwLock::new(Arc::new(terms)),
            settling: Mutex::new(()),
            wake: Notify::new(),
            deleted: AtomicBool::new(false),
            used_ms: AtomicU64::new(ground.clock.wall_ms()),
            counts: Counts::default(),
            ground: ground.clone(),
        }
    }

    /// How it stands in the catalogue.
    pub(crate) fn saved(&self) -> SavedSubscription {
        SavedSubscription {
            number: self.number,
            topic: self.topic.number,
            from_id: self.first_id(),
            config: self.config(),
            skip_until_ms: self.skip_until_ms.load(Ordering::Acquire),
        }
    }

    pub(crate) fn terms(&self) -> Arc<Terms> {
        Arc::clone(&read(&self.terms))
    }

    pub(crate) fn config(&self) -> pb::Subscription {
        read(&self.terms).config.clone()
    }

    /// Replaces the configuration. Filter and ordering stay as they were.
    pub(crate) fn set_config(&self, config: pb::Subscription) {
        let terms = Terms::of(config, self.ground.fast);
        lock(&self.backlog).set_policy(terms.retry, terms.dead_letter.clone());
        *write(&self.terms) = Arc::new(terms);
        self.wake.notify_waiters();
    }

    /// Shows whether the table can be written to. Gives whether that changed.
    pub(crate) fn set_bigquery_state(&self, state: pb::big_query_config::State) -> bool {
        let mut terms = write(&self.terms);
        let mut config = terms.config.clone();
        let Some(bigquery) = config.bigquery_config.as_mut().filter(|c| c.state != i32::from(state)) else {
            return false;
        };
        bigquery.state = state.into();
        let active = state == pb::big_query_config::State::Active;
        let of_all = if active { pb::subscription::State::Active } else { pb::subscription::State::ResourceError };
        config.state = of_all.into();
        *terms = Arc::new(Terms::of(config, self.ground.fast));
        true
    }

    /// Refuses calls of subscribers on a subscription whose messages go to a table.
    pub(crate) fn check_has_subscribers(&self) -> Result<(), Refusal> {
        match read(&self.terms).config.bigquery_config {
            None => Ok(()),
            Some(_) => Err(Refusal::new(
                Code::FailedPrecondition,
                "This method is not supported for this subscription type: a BigQuery subscription",
            )),
        }
    }

    pub(crate) fn first_id(&self) -> u64 {
        self.from_id.load(Ordering::Acquire)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Whether it was cut off from its topic.
    pub(crate) fn is_detached(&self) -> bool {
        read(&self.terms).config.detached
    }

    /// Whether a message passes its filter.
    pub(crate) fn passes(&self, payload: &[u8]) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(&MessageView::of_stored(payload).attributes))
    }

    /// A subscriber is there.
    pub(crate) fn mark_used(&self) {
        self.used_ms.store(self.ground.clock.wall_ms(), Ordering::Release);
    }

    /// Whether nobody used it for as long as its expiration policy allows.
    pub(crate) fn has_expired(&self) -> bool {
        let unused_ms = self.ground.clock.wall_ms().saturating_sub(self.used_ms.load(Ordering::Acquire));
        self.terms().ttl_ms.is_some_and(|ttl_ms| unused_ms > ttl_ms)
    }

    /// New messages, in order, all of one segment.
    pub(crate) fn receive(&self, messages: Vec<Arc<Stored>>) {
        let Some(first) = messages.first() else { return };
        if first.publish_ms < self.skip_until_ms.load(Ordering::Acquire) {
            // Written down, so that they stay dropped when the subscription is sought elsewhere.
            if let Err(error) = self.ground.log.append_acks(self.number, messages.iter().map(|m| (m, Ack::Done))) {
                tracing::warn!(%error, subscription = %self.name, "dropped messages may come after a restart");
            }
            return;
        }
        first.segment.owe(messages.len() as u64);
        {
            let mut backlog = lock(&self.backlog);
            let delay_ms = self.ground.dice.delay_ms();
            for message in messages {
                if delay_ms > 0 {
                    backlog.insert_later(message, self.ground.clock.steady_ms() + delay_ms);
                } else {
                    backlog.insert(message);
                }
            }
        }
        self.wake.notify_waiters();
    }

    /// A message found at the start.
    pub(crate) fn restore(&self, message: Arc<Stored>, attempts: u16) {
        let expired_ms = self.ground.clock.wall_ms().saturating_sub(self.terms().retention_ms);
        if message.publish_ms < self.skip_until_ms.load(Ordering::Acquire).max(expired_ms) {
            return;
        }
        message.segment.owe(1);
        lock(&self.backlog).restore(message, attempts);
    }

    /// Lets time pass and takes what may be given out.
    pub(crate) fn take(&self, take: Take) -> Turn {
        let mut backlog = lock(&self.backlog);
        let expired = backlog.pass(take.now_ms);
        let deliveries = if self.is_deleted() { Vec::new() } else { backlog.take(take) };
        let next_due = backlog.next_due();
        drop(backlog);
        Counts::add(&self.counts.delivered, deliveries.len());
        Turn { deliveries, missed: self.after_nacks(expired), next_due }
    }

    /// Lets time pass. Gives messages to forward to the dead-letter topic.
    pub(crate) fn pass(&self) -> Vec<Missed> {
        let expired = lock(&self.backlog).pass(self.ground.clock.steady_ms());
        if expired.is_empty() {
            return Vec::new();
        }
        self.wake.notify_waiters();
        self.after_nacks(expired)
    }

    pub(crate) fn open_flow(&self, owner: Owner, messages: i64, bytes: i64) {
        lock(&self.backlog).flows.open(owner, messages, bytes);
    }

    /// A stream is gone. Its leases last until their deadlines.
    pub(crate) fn close_flow(&self, owner: Owner) {
        lock(&self.backlog).flows.close(owner);
    }

    /// Takes back all leases of an owner that is gone.
    pub(crate) fn abandon(&self, owner: Owner) {
        lock(&self.backlog).abandon(owner, self.ground.clock.steady_ms());
        self.wake.notify_waiters();
    }

    /// Drops messages past the retention.
    pub(crate) fn purge(&self) {
        let before_ms = self.ground.clock.wall_ms().saturating_sub(self.terms().retention_ms);
        let gone = lock(&self.backlog).purge(before_ms, self.ground.clock.steady_ms());
        for message in &gone {
            self.ground.log.settle(message);
        }
    }

    /// The subscription ends: nothing is given out any more and it owes nothing.
    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
        self.clear();
    }

    /// It owes nothing any more.
    pub(crate) fn clear(&self) {
        let gone = lock(&self.backlog).drain();
        for message in &gone {
            self.ground.log.settle(message);
        }
        self.wake.notify_waiters();
    }

    /// Messages not acked, and the publish time of the oldest in milliseconds since the epoch.
    pub(crate) fn backlog(&self) -> (usize, Option<u64>) {
        let backlog = lock(&self.backlog);
        (backlog.len(), backlog.oldest_publish_ms())
    }
}
