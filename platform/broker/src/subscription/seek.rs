//! Going back or ahead in the log.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Subscription;
use crate::error::Refusal;
use crate::log::{Ack, Stored};
use crate::sync::lock;

/// What a seek found in the log.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    /// Messages it will owe, those it owes already among them.
    pub(crate) found: Vec<Arc<Stored>>,
    /// Messages older than the subscription that it does not owe.
    pub(crate) passed: Vec<Arc<Stored>>,
    /// The first message that belongs to it from now on.
    pub(crate) from_id: u64,
    /// Messages published before this wall time are dropped.
    pub(crate) skip_until_ms: u64,
}

impl Subscription {
    /// From now on it owes the messages it owed that are `wanted`, and `revived` ones. Called by the log's writer only.
    ///
    /// `save` puts its new place in the catalogue.
    ///
    /// # Errors
    /// When it cannot be written. Then everything is as it was, but a restart may show a part of it.
    pub(crate) fn seek(
        &self,
        sought: Sought,
        wanted: impl Fn(&Stored) -> bool,
        save: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let settling = lock(&self.settling);
        let mut backlog = lock(&self.backlog);
        let (mut owed, dropped): (Vec<_>, Vec<_>) = backlog.messages().map(Arc::clone).partition(|m| wanted(m));
        let known: HashSet<u64> = owed.iter().map(|m| m.id).collect();
        let revived: Vec<_> =
            sought.found.into_iter().filter(|m| !known.contains(&m.id) && !m.segment.is_gone()).collect();
        // Attempts begin anew.
        let again = revived.iter().chain(backlog.touched().filter(|m| wanted(m))).map(|m| (m, Ack::Owed));
        let done = dropped.iter().chain(&sought.passed).map(|m| (m, Ack::Done));
        let written = self.ground.log.append_acks_durably(self.number, again.chain(done));
        let unwritten = |error| Refusal::unavailable(format!("the seek cannot be stored: {error}"));
        if let Err(refusal) = written.map_err(unwritten).and_then(|()| save()) {
            // What is written or waits to be is taken back. If that fails it waits, too, behind it.
            let undone = dropped.iter().map(|m| (m, Ack::Owed)).chain(revived.iter().map(|m| (m, Ack::Done)));
            let _ = self.ground.log.append_acks(self.number, undone);
            return Err(refusal);
        }
        for message in &revived {
            message.segment.owe(1);
        }
        owed.extend(revived);
        owed.sort_unstable_by_key(|m| m.id);
        backlog.drain();
        for message in owed {
            backlog.insert(message);
        }
        self.skip_until_ms.store(sought.skip_until_ms, Ordering::Release);
        self.from_id.store(sought.from_id, Ordering::Release);
        drop((backlog, settling));
        for message in &dropped {
            self.ground.log.settle(message);
        }
        self.wake.notify_waiters();
        Ok(())
    }

    /// The messages it owes now, in order.
    pub(crate) fn owed(&self) -> Vec<Arc<Stored>> {
        let mut owed: Vec<_> = lock(&self.backlog).messages().map(Arc::clone).collect();
        owed.sort_unstable_by_key(|m| m.id);
        owed
    }
}
