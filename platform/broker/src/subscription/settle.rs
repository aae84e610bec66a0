//! Acks, nacks, deadlines: how a delivery ends, and what of that goes to disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use delivery::{AckId, Backlog};

use super::{Counts, Missed, Nacked, Subscription};
use crate::log::{Ack, Stored};
use crate::sync::lock;

impl Subscription {
    /// Messages are done. Returns once that is written.
    ///
    /// # Errors
    /// When it cannot be written. The messages are not delivered again by this run, but may be by the next.
    pub(crate) fn ack(&self, ids: impl IntoIterator<Item = u64>) -> io::Result<()> {
        let now_ms = self.ground.clock.steady_ms();
        let dice = &self.ground.dice;
        self.done(&self.counts.acked, |backlog| {
            let ack = |id| {
                if dice.drops_ack() {
                    backlog.forget_ack(id, now_ms);
                    None
                } else if dice.duplicates() {
                    backlog.repeat(id, now_ms);
                    None
                } else {
                    backlog.ack(id, now_ms)
                }
            };
            ids.into_iter().filter_map(ack).collect()
        })
    }

    /// The messages of deliveries that still have their leases are done. Gives the ack ids of the others.
    ///
    /// # Errors
    /// As [`Subscription::ack`].
    pub(crate) fn ack_leased(&self, ack_ids: impl IntoIterator<Item = AckId>) -> io::Result<Vec<AckId>> {
        let now_ms = self.ground.clock.steady_ms();
        let mut lost = Vec::new();
        self.done(&self.counts.acked, |backlog| {
            let acked = ack_ids.into_iter().filter_map(|ack_id| {
                let acked = backlog.ack_leased(ack_id, now_ms);
                if acked.is_none() {
                    lost.push(ack_id);
                }
                acked
            });
            acked.collect()
        })?;
        Ok(lost)
    }

    /// A message is on its dead-letter topic. Returns once that is written.
    ///
    /// # Errors
    /// As [`Subscription::ack`].
    pub(crate) fn forwarded(&self, id: u64) -> io::Result<()> {
        let now_ms = self.ground.clock.steady_ms();
        self.done(&self.counts.dead_lettered, |backlog| backlog.ack(id, now_ms).into_iter().collect())
    }

    /// Whether this delivery still has its lease.
    pub(crate) fn is_leased(&self, ack_id: AckId) -> bool {
        lock(&self.backlog).is_leased(ack_id, self.ground.clock.steady_ms())
    }

    fn done(
        &self,
        count: &AtomicU64,
        take_out: impl FnOnce(&mut Backlog<Stored>) -> Vec<Arc<Stored>>,
    ) -> io::Result<()> {
        let settling = lock(&self.settling);
        let done = take_out(&mut lock(&self.backlog));
        // Also with none done: an earlier error may have left acks to write.
        let written = self.ground.log.append_acks(self.number, done.iter().map(|message| (message, Ack::Done)));
        drop(settling);
        if !done.is_empty() {
            self.mark_used();
        }
        for message in &done {
            self.ground.log.settle(message);
        }
        Counts::add(count, done.len());
        self.wake.notify_waiters();
        written
    }

    /// Deliveries failed; they come again after `wait_ms` or the retry policy's wait. Gives messages to forward to
    /// the dead-letter topic.
    pub(crate) fn nack(&self, failed: impl IntoIterator<Item = (AckId, u64)>) -> Vec<Missed> {
        let now_ms = self.ground.clock.steady_ms();
        let nacks: Vec<Nacked> = {
            let mut backlog = lock(&self.backlog);
            failed.into_iter().map(|(ack_id, wait_ms)| backlog.nack(ack_id, wait_ms, now_ms)).collect()
        };
        self.wake.notify_waiters();
        self.after_nacks(nacks)
    }

    /// Moves deadlines to so many seconds from now.
    pub(crate) fn extend(&self, ack_ids: impl IntoIterator<Item = AckId>, seconds: i32) {
        let now_ms = self.ground.clock.steady_ms();
        let until_ms = now_ms + u64::try_from(seconds).unwrap_or(0) * 1000;
        let mut backlog = lock(&self.backlog);
        for ack_id in ack_ids {
            backlog.extend(ack_id, until_ms, now_ms);
        }
    }

    /// A dead letter could not be published: the message comes again.
    pub(crate) fn not_forwarded(&self, id: u64, wait_ms: u64) {
        lock(&self.backlog).not_forwarded(id, wait_ms, self.ground.clock.steady_ms());
        self.wake.notify_waiters();
    }

    /// Remembers failed attempts where they count, and gives what is to be forwarded.
    pub(super) fn after_nacks(&self, nacks: Vec<Nacked>) -> Vec<Missed> {
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
        if self.terms().dead_letter.is_some() {
            let attempts = again.iter().map(|(message, attempts)| (message, Ack::Attempts(*attempts)));
            if let Err(error) = self.ground.log.append_acks(self.number, attempts) {
                tracing::warn!(%error, subscription = %self.name, "failed attempts are not on disk; a restart may forget them");
            }
        }
        missed
    }
}
