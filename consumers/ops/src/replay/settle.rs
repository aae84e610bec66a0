//! Learns what has become of messages that are out, from the consumer and from the dead letters.

use runtime::CallError;
use runtime::replay::EventKey;
use store::StoreError;

use super::decide::{Verdict, verdict};
use super::run::Replays;
use crate::limits::MAX_IN_FLIGHT;
use crate::peers::words;
use crate::rows::items;
use crate::rows::letters;
use crate::rows::replays::ReplayRow;

impl Replays {
    /// Settles what can be settled. Answers how many were; `None` when the consumer cannot be asked.
    pub(super) async fn settle(&self, replay: &ReplayRow, now_ms: i64) -> Result<Option<u32>, StoreError> {
        let replay_id = replay.replay_id.clone();
        let out = self.0.store.read(move |tx| items::out(tx, &replay_id, MAX_IN_FLIGHT)).await?;
        let keys = out.iter().map(|one| EventKey { source: one.source.clone(), id: one.event_id.clone() }).collect();
        let fates = match self.0.peers.fates(&replay.consumer, keys).await {
            Ok(fates) => fates,
            Err(error) => return self.unanswered(replay, error, now_ms).await.map(|()| None),
        };
        self.answered(replay);
        let mut last_failure = None;
        let mut settled = Vec::new();
        for (one, fate) in out.into_iter().zip(fates) {
            match verdict(fate, one.attempts_before) {
                Verdict::Open(code) => last_failure = code.or(last_failure),
                decided => settled.push((one, decided)),
            }
        }
        let replay_id = replay.replay_id.clone();
        let marking = self.0.store.write(now_ms, move |tx| {
            let mut count = 0u32;
            for (one, verdict) in &settled {
                match verdict {
                    Verdict::Failed { code, fingerprint, reason, number } => {
                        items::settle(tx, &replay_id, one.position, "failed", (code.as_str(), reason.as_str()))?;
                        let words = (code.as_str(), fingerprint.as_str(), reason.as_str());
                        letters::died_in(tx, &one.letter_id, &replay_id, words, i64::from(*number))?;
                    }
                    _ => {
                        items::settle(tx, &replay_id, one.position, "handled", ("", ""))?;
                        letters::handled(tx, &one.letter_id)?;
                    }
                }
                count += 1;
            }
            for given_up in items::given_up(tx, &replay_id)? {
                // The ingest has opened the letter again with this reason.
                items::settle(
                    tx,
                    &replay_id,
                    given_up.position,
                    "failed",
                    (given_up.code.as_str(), given_up.reason.as_str()),
                )?;
                count += 1;
            }
            Ok::<_, StoreError>(count)
        });
        let count = marking.await?;
        let note = last_failure.filter(|_| count == 0).map(|code| format!("messages are tried again: {code}"));
        self.note(replay, note.unwrap_or_default(), now_ms).await?;
        Ok(Some(count))
    }

    /// A consumer that cannot be asked is waited for, but not for ever, whether messages are out or not.
    pub(super) async fn unanswered(&self, replay: &ReplayRow, error: CallError, now_ms: i64) -> Result<(), StoreError> {
        let silent_since_ms = self.watch(replay, |watch| *watch.silent_since_ms.get_or_insert(now_ms));
        let since_ms = silent_since_ms.max(replay.resumed_at_ms);
        if replay.state != super::RUNNING || now_ms - since_ms < self.0.settle_patience_ms {
            return self.note(replay, words(error).1, now_ms).await;
        }
        let note = format!("{} cannot be asked", replay.consumer);
        self.end(replay, super::STOPPED, &note, now_ms).await.map(drop)
    }

    /// The consumer has answered.
    pub(super) fn answered(&self, replay: &ReplayRow) {
        self.watch(replay, |watch| watch.silent_since_ms = None);
    }
}
