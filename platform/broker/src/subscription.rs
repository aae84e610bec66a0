//! A subscription: the lock around its backlog, and the acks that go to disk.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use delivery::{AckId, Backlog, Backoff, DeadLetterPolicy, Filter, Owner, Policy, RetryPolicy, Take, parse_filter};
use google_cloud_googleapis::pubsub::v1 as pb;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::limits;
use crate::log::{Ack, Log, Stored};
use crate::sync::lock;
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
}

/// A subscription, alive or deleted.
pub(crate) struct Subscription {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) topic: Arc<Topic>,
    /// The first message id that belongs to it.
    pub(crate) from_id: u64,
    pub(crate) filter: Option<Filter>,
    pub(crate) ack_deadline_ms: u64,
    pub(crate) dead_letter: Option<DeadLetterPolicy>,
    retention_ms: u64,
    config: Mutex<pb::Subscription>,
    backlog: Mutex<Backlog<Stored>>,
    /// Told whenever there may be something to take.
    pub(crate) wake: Notify,
    deleted: AtomicBool,
    pub(crate) counts: Counts,
    log: Log,
    clock: Clock,
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
    pub(crate) fn new(
        number: u32,
        from_id: u64,
        config: pb::Subscription,
        topic: Arc<Topic>,
        ground: &Ground,
    ) -> Subscription {
        let dead_letter = config.dead_letter_policy.as_ref().map(|policy| DeadLetterPolicy {
            topic: policy.dead_letter_topic.clone(),
            max_attempts: u16::try_from(policy.max_delivery_attempts).unwrap_or(u16::MAX),
        });
        let policy = Policy {
            ordered: config.enable_message_ordering,
            retry: retry_policy(config.retry_policy.as_ref(), ground.fast),
            dead_letter: dead_letter.clone(),
        };
        let retention =
            config.message_retention_duration.as_ref().map_or(limits::RETENTION_DEFAULT_SECONDS, |d| d.seconds);
        #[allow(clippy::cast_possible_truncation, reason = "only differs from run to run")]
        let lease = ground.clock.wall_ms() as u32;
        Subscription {
            number,
            name: config.name.clone(),
            topic,
            from_id,
            filter: if config.filter.is_empty() { None } else { parse_filter(&config.filter).ok() },
            ack_deadline_ms: u64::try_from(config.ack_deadline_seconds).unwrap_or(0) * 1000,
            dead_letter,
            retention_ms: u64::try_from(retention).unwrap_or(0) * 1000,
            config: Mutex::new(config),
            backlog: Mutex::new(Backlog::new(policy, lease)),
            wake: Notify::new(),
            deleted: AtomicBool::new(false),
            counts: Counts::default(),
            log: ground.log.clone(),
            clock: ground.clock,
        }
    }

    pub(crate) fn config(&self) -> pb::Subscription {
        lock(&self.config).clone()
    }

    pub(crate) fn set_push_config(&self, push_config: Option<pb::PushConfig>) {
        lock(&self.config).push_config = push_config;
    }

    pub(crate) fn set_topic_name(&self, name: &str) {
        name.clone_into(&mut lock(&self.config).topic);
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// New messages, in order, all of one segment.
    pub(crate) fn receive(&self, messages: Vec<Arc<Stored>>) {
        let Some(first) = messages.first() else { return };
        first.segment.owe(messages.len() as u64);
        {
            let mut backlog = lock(&self.backlog);
            for message in messages {
                backlog.insert(message);
            }
        }
        self.wake.notify_waiters();
    }

    /// A message found at the start.
    pub(crate) fn restore(&self, message: Arc<Stored>, attempts: u16) {
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
        let expired = lock(&self.backlog).pass(self.clock.steady_ms());
        if expired.is_empty() {
            return Vec::new();
        }
        self.wake.notify_waiters();
        self.after_nacks(expired)
    }

    /// Messages are done. Returns once that is written.
    ///
    /// # Errors
    /// When it cannot be written. The messages are not delivered again by this run, but may be by the next.
    pub(crate) fn ack(&self, ids: impl IntoIterator<Item = u64>) -> io::Result<()> {
        let now_ms = self.clock.steady_ms();
        let done: Vec<Arc<Stored>> = {
            let mut backlog = lock(&self.backlog);
            ids.into_iter().filter_map(|id| backlog.ack(id, now_ms)).collect()
        };
        // Also with none done: an earlier error may have left acks to write.
        let written = self.log.append_acks(self.number, done.iter().map(|message| (message, Ack::Done)));
        for message in &done {
            self.log.settle(message);
        }
        Counts::add(&self.counts.acked, done.len());
        self.wake.notify_waiters();
        written
    }

    /// Deliveries failed; they come again after `wait_ms` or the retry policy's wait. Gives messages to forward to
    /// the dead-letter topic.
    pub(crate) fn nack(&self, failed: impl IntoIterator<Item = (AckId, u64)>) -> Vec<Missed> {
        let now_ms = self.clock.steady_ms();
        let nacks: Vec<Nacked> = {
            let mut backlog = lock(&self.backlog);
            failed.into_iter().map(|(ack_id, wait_ms)| backlog.nack(ack_id, wait_ms, now_ms)).collect()
        };
        self.wake.notify_waiters();
        self.after_nacks(nacks)
    }

    /// Moves deadlines to so many seconds from now.
    pub(crate) fn extend(&self, ack_ids: impl IntoIterator<Item = AckId>, seconds: i32) {
        let until_ms = self.clock.steady_ms() + u64::try_from(seconds).unwrap_or(0) * 1000;
        let mut backlog = lock(&self.backlog);
        for ack_id in ack_ids {
            backlog.extend(ack_id, until_ms);
        }
    }

    /// A dead letter could not be published: the message comes again.
    pub(crate) fn not_forwarded(&self, id: u64, wait_ms: u64) {
        lock(&self.backlog).not_forwarded(id, wait_ms, self.clock.steady_ms());
        self.wake.notify_waiters();
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
        lock(&self.backlog).abandon(owner, self.clock.steady_ms());
        self.wake.notify_waiters();
    }

    /// Drops messages past the retention.
    pub(crate) fn purge(&self) {
        let before_ms = self.clock.wall_ms().saturating_sub(self.retention_ms);
        let gone = lock(&self.backlog).purge(before_ms, self.clock.steady_ms());
        for message in &gone {
            self.log.settle(message);
        }
    }

    /// The subscription ends: nothing is given out any more and it owes nothing.
    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
        let gone = lock(&self.backlog).drain();
        for message in &gone {
            self.log.settle(message);
        }
        self.wake.notify_waiters();
    }

    /// Messages not acked, and the publish time of the oldest in milliseconds since the epoch.
    pub(crate) fn backlog(&self) -> (usize, Option<u64>) {
        let backlog = lock(&self.backlog);
        (backlog.len(), backlog.oldest_publish_ms())
    }

    /// Remembers failed attempts where they count, and gives what is to be forwarded.
    fn after_nacks(&self, nacks: Vec<Nacked>) -> Vec<Missed> {
        if nacks.is_empty() {
            return Vec::new();
        }
        let (mut missed, mut again) = (Vec::new(), Vec::new());
        for nacked in nacks {
            match nacked {
                Nacked::Unknown => {}
                Nacked::Again(message, attempts) => again.push((message, attempts)),
                Nacked::Exhausted(exhausted) => {
                    again.push((Arc::clone(&exhausted.message), exhausted.attempts));
                    missed.push(exhausted);
                }
            }
        }
        Counts::add(&self.counts.nacked, again.len());
        if self.dead_letter.is_some() {
            let attempts = again.iter().map(|(message, attempts)| (message, Ack::Attempts(*attempts)));
            if let Err(error) = self.log.append_acks(self.number, attempts) {
                tracing::warn!(%error, subscription = %self.name, "failed attempts are not on disk; a restart may forget them");
            }
        }
        missed
    }
}

fn retry_policy(policy: Option<&pb::RetryPolicy>, fast: bool) -> RetryPolicy {
    let most_ms = if fast { limits::PUSH_BACKOFF_FAST_MAX_MS } else { u64::MAX };
    let ms = |duration: Option<&prost_types::Duration>, default| {
        duration.map_or(default, |d| {
            u64::try_from(d.seconds).unwrap_or(0) * 1000 + u64::try_from(d.nanos / 1_000_000).unwrap_or(0)
        })
    };
    RetryPolicy(policy.map(|policy| {
        let min_ms = ms(policy.minimum_backoff.as_ref(), limits::RETRY_MIN_DEFAULT_MS);
        let max_ms = ms(policy.maximum_backoff.as_ref(), limits::RETRY_MAX_DEFAULT_MS);
        Backoff { min_ms: min_ms.min(most_ms), max_ms: max_ms.min(most_ms) }
    }))
}
