//! Publishes what a step allows, and marks it once Pub/Sub has it.

use bus::Outgoing;
use events::topology::limits::INBOX_DAYS;
use runtime::replay::{EventKey, Fate};
use store::{StoreError, Tx};

use super::RUNNING;
use super::decide::{self, Allowance};
use super::run::Replays;
use crate::limits::{MS_PER_DAY, PUBLISH_BATCH};
use crate::rows::items::{self, Ready};
use crate::rows::letters;
use crate::rows::replays::{self, ReplayRow};

impl Replays {
    /// Publishes the next messages of the step under way while `out` of the replay are out. Answers how many came further, which is 0
    /// while there is no room, no allowance, or no consumer or Pub/Sub to be reached.
    pub(super) async fn publish(&self, replay: &ReplayRow, out: u32, now_ms: i64) -> Result<u32, StoreError> {
        let allowed = self.allowed(replay, now_ms).min(decide::room(out)).min(PUBLISH_BATCH);
        if allowed == 0 {
            return Ok(0);
        }
        let (replay_id, step) = (replay.replay_id.clone(), replay.step);
        let horizon_ms = now_ms - i64::from(INBOX_DAYS) * MS_PER_DAY;
        let found = self.0.store.read(move |tx| {
            let of_step = (replay_id.as_str(), step);
            let is_unfit = !items::unfit(tx, of_step, horizon_ms, allowed)?.is_empty();
            Ok::<_, StoreError>((is_unfit, items::ready(tx, of_step, horizon_ms, allowed)?))
        });
        let (is_unfit, ready) = found.await?;
        if is_unfit {
            return self.skip_unfit(replay, horizon_ms, now_ms).await;
        }
        if ready.is_empty() {
            return Ok(0);
        }
        // How often each has failed so far: only a failure after these is an answer to the replay.
        let keys = ready.iter().map(|one| EventKey { source: one.source.clone(), id: one.event_id.clone() }).collect();
        let fates = match self.0.peers.fates(&replay.consumer, keys).await {
            Ok(fates) => fates,
            Err(error) => return self.unanswered(replay, error, now_ms).await.map(|()| 0),
        };
        self.answered(replay);
        // The consumer may have taken its time, and a person may have used it.
        let (replay_id, step) = (replay.replay_id.clone(), replay.step);
        let now = self.0.store.read(move |tx| replays::find(tx, &replay_id)).await?;
        if now.is_none_or(|now| now.state != RUNNING || now.step != step) {
            return Ok(0);
        }
        let (mut done, mut sent, mut batch) = (Vec::new(), Vec::new(), Vec::new());
        for (one, fate) in ready.into_iter().zip(fates) {
            match fate {
                Fate::Handled { .. } => done.push((one.position, one.letter_id)),
                Fate::Failed { number, .. } => {
                    batch.push(message(replay, &one));
                    sent.push((one.position, one.letter_id, i64::from(number)));
                }
                Fate::Unknown => {
                    batch.push(message(replay, &one));
                    sent.push((one.position, one.letter_id, 0));
                }
            }
        }
        self.spend(replay, batch.len());
        let answers = self.0.bus.publish(batch).await;
        let refused = answers.iter().find_map(|answer| answer.as_ref().err()).map(ToString::to_string);
        let sent: Vec<_> =
            sent.into_iter().zip(answers).filter(|(_, answer)| answer.is_ok()).map(|(one, _)| one).collect();
        let moved = u32::try_from(sent.len() + done.len()).unwrap_or(u32::MAX);
        let replay_id = replay.replay_id.clone();
        let marking = self.0.store.write(now_ms, move |tx| {
            tx.lock(&replay_id)?;
            for (position, letter_id) in &done {
                items::settle(tx, &replay_id, *position, "handled", ("", "it was handled before"))?;
                letters::handled(tx, letter_id)?;
            }
            for (position, letter_id, attempts) in &sent {
                mark(tx, &replay_id, (*position, letter_id), *attempts)?;
            }
            Ok::<_, StoreError>(())
        });
        marking.await?;
        if refused.is_some() || moved > 0 {
            self.note(replay, refused.unwrap_or_default(), now_ms).await?;
        }
        Ok(moved)
    }

    /// Puts aside what must not be published. Answers how many that were.
    async fn skip_unfit(&self, replay: &ReplayRow, horizon_ms: i64, now_ms: i64) -> Result<u32, StoreError> {
        let (replay_id, step) = (replay.replay_id.clone(), replay.step);
        let job = self.0.store.write(now_ms, move |tx| {
            tx.lock(&replay_id)?;
            let found = items::unfit(tx, (&replay_id, step), horizon_ms, PUBLISH_BATCH)?;
            for one in &found {
                let is_ours = one.letter_state == "replaying" && one.replay_id == replay_id;
                let reason = match one.letter_state.as_str() {
                    "" => "the letter is gone".to_owned(),
                    "replaying" if is_ours => format!("it is older than the {INBOX_DAYS} days its consumer remembers"),
                    "replaying" => "another replay has the letter".to_owned(),
                    state => format!("the letter is {state}"),
                };
                items::settle(tx, &replay_id, one.position, "skipped", ("", &reason))?;
                letters::give_back(tx, &one.letter_id, &replay_id)?;
            }
            Ok::<_, StoreError>(u32::try_from(found.len()).unwrap_or(u32::MAX))
        });
        job.await
    }

    fn allowed(&self, replay: &ReplayRow, now_ms: i64) -> u32 {
        self.watch(replay, |watch| {
            let allowance = watch.allowance.get_or_insert_with(|| Allowance::new(now_ms));
            allowance.pass(now_ms, replay.rate_per_s);
            allowance.messages()
        })
    }

    fn spend(&self, replay: &ReplayRow, messages: usize) {
        self.watch(replay, |watch| {
            if let Some(allowance) = &mut watch.allowance {
                allowance.spend(u32::try_from(messages).unwrap_or(u32::MAX));
            }
        });
    }
}

/// Notes that Pub/Sub has a message. One that a cancel skipped meanwhile is out all the same and is followed, unless its letter has gone
/// elsewhere.
fn mark(tx: &mut Tx<'_>, replay_id: &str, (position, letter_id): (i64, &str), attempts: i64) -> Result<(), StoreError> {
    if !items::published(tx, replay_id, position, attempts)? {
        let is_open = letters::find(tx, letter_id)?.is_some_and(|letter| letter.state == "open");
        if !is_open || !items::published_late(tx, replay_id, position, attempts)? {
            return Ok(());
        }
        letters::take(tx, letter_id, replay_id)?;
    }
    letters::set_attempts_known(tx, letter_id, attempts)
}

/// The event as it was said, for one consumer only.
fn message(replay: &ReplayRow, one: &Ready) -> Outgoing {
    let mut attributes = one.attributes.clone();
    attributes.insert("ce-replaytarget".to_owned(), replay.consumer.clone());
    attributes.insert("ce-replayid".to_owned(), replay.replay_id.clone());
    if !one.edit_id.is_empty() {
        attributes.insert("ce-edit".to_owned(), one.edit_id.clone());
    }
    Outgoing {
        topic: one.topic.clone(),
        ordering_key: String::new(),
        attributes,
        data: one.data.clone().into_bytes().into(),
    }
}
