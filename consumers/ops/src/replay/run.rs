//! The work of a replay, one step at a time. Between any two steps the process may end; whoever comes next reads the tables and goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bus::Bus;
use events::Timestamp;
use futures::future::join_all;
use serde_json::json;
use store::{Store, StoreError};
use tracing::{info, warn};

use super::decide::{self, Allowance};
use super::{CANCELLED, FINISHED, RUNNING, STOPPED, control};
use crate::config::Config;
use crate::limits::{FIRST_LOOK_MS, LAST_LOOK_MS, MOVES_IN_A_ROW};
use crate::peers::Peers;
use crate::rows::audit::{self, About, ITSELF};
use crate::rows::items::{self, Counts};
use crate::rows::replays::{self, ReplayRow};
use crate::signed::Signed;

/// Carries replays on.
#[derive(Clone)]
pub struct Replays(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) peers: Peers,
    pub(super) settle_patience_ms: i64,
    /// What is remembered of each replay. Lost with the process: then it starts with one message, and with all patience, again.
    watches: Mutex<HashMap<String, Watch>>,
}

/// What is remembered of a replay and not written down.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What it may publish now.
    pub(super) allowance: Option<Allowance>,
    /// Since when its consumer cannot be asked.
    pub(super) silent_since_ms: Option<i64>,
    /// Of one that does not run: when its consumer is asked again.
    look_at_ms: i64,
    /// How long it waited for that.
    look_wait_ms: i64,
}

impl Watch {
    /// Nothing has settled: the next question can wait, longer each time.
    fn look_later(&mut self, now_ms: i64) {
        self.look_wait_ms = (self.look_wait_ms * 2).clamp(FIRST_LOOK_MS, LAST_LOOK_MS);
        self.look_at_ms = now_ms + self.look_wait_ms;
    }
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was done; there may be more to do at once.
    Moved,
    /// Nothing can be done now: messages are out, the rate is used up, or the consumer cannot be asked.
    Waits,
    /// Nothing is left to do until somebody says so.
    Rests,
}

impl Replays {
    pub(crate) fn new(store: Store, bus: Arc<dyn Bus>, peers: Peers, config: &Config) -> Self {
        let settle_patience_ms = i64::try_from(config.settle_patience.as_millis()).unwrap_or(i64::MAX);
        Self(Arc::new(Inner { store, bus, peers, settle_patience_ms, watches: Mutex::default() }))
    }

    /// Carries every replay on as far as it goes now, side by side, so that nobody waits for another's consumer in turn.
    pub async fn tick(&self, now: impl Fn() -> Timestamp) {
        let active = match self.0.store.read(replays::active).await {
            Ok(active) => active,
            Err(error) => return warn!(%error, "the replays cannot be read"),
        };
        join_all(active.iter().map(|replay_id| self.carry(replay_id, &now))).await;
    }

    async fn carry(&self, replay_id: &str, now: &impl Fn() -> Timestamp) {
        for _ in 0..MOVES_IN_A_ROW {
            match self.advance(replay_id, now().as_millisecond()).await {
                Ok(Progress::Moved) => {}
                Ok(Progress::Waits | Progress::Rests) => break,
                Err(error) => {
                    warn!(replay.id = replay_id, %error, "the replay goes on later");
                    break;
                }
            }
        }
    }

    /// One step of one replay: learn what has become of messages that are out, or stop, or begin the next step of the ramp, or publish.
    ///
    /// # Errors
    /// Of the database. Whatever was not committed is done again by the next call.
    pub async fn advance(&self, replay_id: &str, now_ms: i64) -> Result<Progress, StoreError> {
        let Some((replay, counts, step)) = self.look(replay_id).await? else { return Ok(Progress::Rests) };
        let is_running = replay.state == RUNNING;
        if !is_running {
            return self.follow(&replay, counts, now_ms).await;
        }
        if counts.published > 0 {
            let settled = self.settle(&replay, now_ms).await?;
            if settled.is_some_and(|count| count > 0) {
                return Ok(Progress::Moved);
            }
            if settled.is_none() {
                return Ok(Progress::Waits);
            }
        }
        if decide::must_stop(step, replay.stop_permille) {
            let note = format!(
                "{} of {} messages that settled in step {} failed",
                step.failed,
                step.failed + step.handled,
                replay.step
            );
            return self.end(&replay, STOPPED, &note, now_ms).await;
        }
        if counts.waiting == 0 {
            if counts.published > 0 {
                return self.wait(&replay, now_ms).await;
            }
            return self.end(&replay, FINISHED, "", now_ms).await;
        }
        if step.waiting == 0 {
            if step.published > 0 {
                return self.wait(&replay, now_ms).await;
            }
            return self.open_step(&replay, now_ms).await;
        }
        let published = self.publish(&replay, counts.published, now_ms).await?;
        if published == 0 && counts.published > 0 {
            return self.wait(&replay, now_ms).await;
        }
        Ok(if published > 0 { Progress::Moved } else { Progress::Waits })
    }

    /// Of a replay that does not run: learns what has become of messages that are out. Those of a cancelled one are waited for no longer
    /// than the patience.
    async fn follow(&self, replay: &ReplayRow, counts: Counts, now_ms: i64) -> Result<Progress, StoreError> {
        if counts.published == 0 {
            self.forget(&replay.replay_id);
            return Ok(Progress::Rests);
        }
        if self.watch(replay, |watch| now_ms < watch.look_at_ms) {
            return Ok(Progress::Waits);
        }
        if self.settle(replay, now_ms).await?.is_some_and(|count| count > 0) {
            self.watch(replay, |watch| watch.look_wait_ms = 0);
            return Ok(Progress::Moved);
        }
        self.watch(replay, |watch| watch.look_later(now_ms));
        if replay.state != CANCELLED {
            return Ok(Progress::Waits);
        }
        let (replay_id, before_ms) = (replay.replay_id.clone(), now_ms - self.0.settle_patience_ms);
        let let_go = self.0.store.write(now_ms, move |tx| control::let_go(tx, &replay_id, before_ms));
        Ok(if let_go.await? > 0 { Progress::Moved } else { Progress::Waits })
    }

    /// What is remembered of a replay.
    pub(super) fn watch<R>(&self, replay: &ReplayRow, look: impl FnOnce(&mut Watch) -> R) -> R {
        let mut watches = self.0.watches.lock().expect("nothing panics while it holds the watches");
        look(watches.entry(replay.replay_id.clone()).or_default())
    }

    fn forget(&self, replay_id: &str) {
        self.0.watches.lock().expect("nothing panics while it holds the watches").remove(replay_id);
    }

    async fn look(&self, replay_id: &str) -> Result<Option<(ReplayRow, Counts, Counts)>, StoreError> {
        let replay_id = replay_id.to_owned();
        let look = self.0.store.read(move |tx| {
            let Some(replay) = replays::find(tx, &replay_id)? else { return Ok(None) };
            let counts = items::counts(tx, &replay_id)?;
            // Items that belong to no step yet have number 0.
            let is_begun = replay.step > 0;
            let step = if is_begun { items::step_counts(tx, &replay_id, replay.step)? } else { Counts::default() };
            Ok::<_, StoreError>(Some((replay, counts, step)))
        });
        look.await
    }

    async fn open_step(&self, replay: &ReplayRow, now_ms: i64) -> Result<Progress, StoreError> {
        let (replay_id, ramp_at, step) = (replay.replay_id.clone(), replay.ramp_at, replay.step + 1);
        let size = decide::step_size(&replay.ramp, ramp_at);
        let job = self.0.store.write(now_ms, move |tx| {
            items::assign(tx, &replay_id, step, size)?;
            replays::open_step(tx, &replay_id, ramp_at.saturating_add(1), step)
        });
        job.await.map(|()| Progress::Moved)
    }

    /// Ends the run by itself, and says so in the audit trail.
    pub(super) async fn end(
        &self,
        replay: &ReplayRow,
        state: &'static str,
        note: &str,
        now_ms: i64,
    ) -> Result<Progress, StoreError> {
        let (replay_id, note) = (replay.replay_id.clone(), note.to_owned());
        info!(replay.id = replay_id, state, note, "a replay ends its run");
        self.forget(&replay_id);
        let job = self.0.store.write(now_ms, move |tx| {
            let about = About { replay_id: &replay_id, ..About::default() };
            // A person may have been faster.
            if replays::find(tx, &replay_id)?.is_some_and(|now| now.state == RUNNING) {
                replays::set_state(tx, &replay_id, state, &note)?;
                let what = json!({ "messages": items::counts(tx, &replay_id)? });
                let why = if note.is_empty() { "everything has settled".to_owned() } else { note };
                audit::add(tx, state, &Signed { by: ITSELF.to_owned(), why }, about, &what)?;
            }
            Ok::<_, StoreError>(Progress::Rests)
        });
        job.await
    }

    /// Messages are out. When they have been for too long, the replay stops.
    async fn wait(&self, replay: &ReplayRow, now_ms: i64) -> Result<Progress, StoreError> {
        let replay_id = replay.replay_id.clone();
        let oldest = self.0.store.read(move |tx| items::out(tx, &replay_id, 1)).await?;
        let since_ms = oldest.first().map_or(now_ms, |out| out.published_at_ms.max(replay.resumed_at_ms));
        if now_ms - since_ms < self.0.settle_patience_ms {
            return Ok(Progress::Waits);
        }
        let last = if replay.note.is_empty() { String::new() } else { format!("; {}", replay.note) };
        let note = format!("a message is out since {} s and not settled{last}", (now_ms - since_ms) / 1_000);
        self.end(replay, STOPPED, &note, now_ms).await
    }

    /// Says what the replay waits for; empty once it does not.
    pub(super) async fn note(&self, replay: &ReplayRow, note: String, now_ms: i64) -> Result<(), StoreError> {
        if replay.note == note {
            return Ok(());
        }
        let replay_id = replay.replay_id.clone();
        let job = self.0.store.write(now_ms, move |tx| {
            if replays::find(tx, &replay_id)?.is_some_and(|now| now.state == RUNNING) {
                replays::set_note(tx, &replay_id, &note)?;
            }
            Ok::<_, StoreError>(())
        });
        job.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_that_does_not_run_asks_less_and_less_often_but_once_a_second() {
        let (mut watch, mut now_ms) = (Watch::default(), 0);
        let waits: Vec<i64> = (0..8)
            .map(|_| {
                watch.look_later(now_ms);
                let wait_ms = watch.look_at_ms - now_ms;
                now_ms = watch.look_at_ms;
                wait_ms
            })
            .collect();
        assert_eq!(waits, [40, 80, 160, 320, 640, 1_000, 1_000, 1_000]);
    }
}
