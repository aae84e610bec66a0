//! Asks the fraud engine what is due and says its answers.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use events::risk::RiskLevel;
use futures::StreamExt;
use runtime::{CallError, Cause, Failure, Identity, Transactor};
use tracing::{info, warn};

use crate::config::Config;
use crate::engine::{Answer, Engine};
use crate::scoring::Question;
use crate::{decide, store};

/// How often it is looked what is due.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// Questions of one run.
const MAX_BATCH: u32 = 50;
/// Questions asked at once.
const MAX_CONCURRENT: usize = 8;
/// The longest error kept with a scoring, in characters.
const MAX_ERROR_CHARS: usize = 300;
/// What the answers' ids derive from, with the order's event.
const REACTION: &str = "fraud-bridge.settle-scoring";

/// Settles open scorings. Clones are the same.
#[derive(Clone)]
pub struct Settler {
    transactor: Transactor,
    engine: Engine,
}

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// Scorings that were answered and are settled.
    pub settled: u32,
    /// Scorings that are asked about again later.
    pub postponed: u32,
}

impl Settler {
    /// A settler of the scorings in the transactor's database, who asks the engine as `identity`.
    #[must_use]
    pub fn new(transactor: Transactor, config: &Config, identity: &Identity) -> Self {
        Self { transactor, engine: Engine::new(config, identity) }
    }

    /// Asks about what is due at `now_ms` (Unix milliseconds), up to the batch's limit. An engine found out of reach is not asked
    /// further in this run.
    pub async fn settle_due(&self, now_ms: i64) -> Run {
        let due = match self.transactor.store().read(move |tx| store::due(tx, now_ms, MAX_BATCH)).await {
            Ok(due) => due,
            Err(error) => {
                let error: ::store::StoreError = error;
                warn!(%error, "cannot read what is due");
                return Run::default();
            }
        };
        let (settled, postponed, down) = (AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false));
        futures::stream::iter(due)
            .for_each_concurrent(MAX_CONCURRENT, |question| async {
                if down.load(Ordering::Relaxed) {
                    return;
                }
                let answer = self.engine.ask(&question).await;
                if matches!(answer, Err(CallError::Unavailable { .. } | CallError::TurnedAway { .. })) {
                    down.store(true, Ordering::Relaxed);
                }
                let counter = match self.record(question, answer, now_ms).await {
                    Ok(true) => &settled,
                    Ok(false) => &postponed,
                    Err(error) => {
                        // The scoring stays due as it was.
                        warn!(%error, "cannot record the fraud engine's answer");
                        return;
                    }
                };
                counter.fetch_add(1, Ordering::Relaxed);
            })
            .await;
        Run { settled: settled.into_inner(), postponed: postponed.into_inner() }
    }

    /// Writes what came of a question. True when it is settled.
    async fn record(
        &self,
        question: Question,
        answer: Result<Answer, CallError>,
        now_ms: i64,
    ) -> Result<bool, Failure> {
        match answer {
            Ok(Answer { risk_score: RiskLevel::Unknown, .. }) => {
                self.postpone(question, "the engine answered UNKNOWN".to_owned(), now_ms).await?;
                Ok(false)
            }
            Ok(answer) => {
                self.settle(question, answer).await?;
                Ok(true)
            }
            Err(error) => {
                self.postpone(question, error.to_string().chars().take(MAX_ERROR_CHARS).collect(), now_ms).await?;
                Ok(false)
            }
        }
    }

    async fn settle(&self, question: Question, answer: Answer) -> Result<(), Failure> {
        let Question { order_id, event_id, correlation_id, traceparent, .. } = question;
        let Some((verdict, fact)) = decide::verdict(&order_id, answer.risk_score, answer.reasons) else {
            return Ok(());
        };
        info!(order.id = %order_id, risk = %answer.risk_score, "the fraud engine answered at last");
        let cause = Cause::Event { id: event_id, correlation_id, reaction: REACTION.to_owned(), traceparent };
        self.transactor
            .run(cause, move |tx| {
                tx.lock(order_id.as_str())?;
                let first = store::settle(tx, order_id.as_str(), verdict, answer.risk_score.as_str())?;
                Ok::<_, Failure>(((), if first { vec![fact] } else { Vec::new() }))
            })
            .await
    }

    async fn postpone(&self, question: Question, error: String, now_ms: i64) -> Result<(), Failure> {
        let Question { order_id, attempts, .. } = question;
        let until_ms = now_ms + decide::wait_ms(&order_id, attempts);
        warn!(order.id = %order_id, attempts = attempts + 1, error, "no answer of the fraud engine, asking again later");
        self.transactor
            .store()
            .write(now_ms, move |tx| Ok(store::postpone(tx, order_id.as_str(), &error, until_ms)?))
            .await
    }
}
