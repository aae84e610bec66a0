//! Asks the fraud engine what is due and says its answers; tells it how orders ended.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use events::risk::RiskLevel;
use events::topology::limits::OUTBOX_DAYS;
use futures::StreamExt;
use runtime::clock::{self, Stopwatch};
use runtime::guard::Admission;
use runtime::{CallError, Cause, Failure, Identity, Metrics, Transactor};
use tracing::{info, warn};

use crate::config::Config;
use crate::engine::{Answer, Engine};
use crate::meters::Meters;
use crate::pace::Pace;
use crate::report::Report;
use crate::scoring::Question;
use crate::{decide, reports, store};

/// How often it is looked what is due.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// How often it is looked what is too old.
pub(crate) const PURGE_PERIOD: Duration = Duration::from_secs(60);
/// How long one run may take, but for the answers awaited then: where there is CPU only during requests a minute's push waits for it,
/// whose deadline is 30 s.
const RUN_TIME: Duration = Duration::from_secs(20);
/// Questions asked at once.
const MAX_CONCURRENT: usize = 8;
/// The longest error kept with a scoring, in characters.
const MAX_ERROR_CHARS: usize = 300;
/// Scorings forgotten in one transaction, and transactions of one purge.
const PURGE_BATCH: u32 = 500;
const PURGE_BATCHES: u32 = 20;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long the engine is told in vain how an order ended, in milliseconds: after a week it is no news.
const MAX_REPORT_AGE_MS: i64 = 7 * DAY_MS;
/// What the answers' ids derive from, with the order's event.
const REACTION: &str = "fraud-bridge.settle-scoring";

/// Settles open scorings and sends reports. Clones are the same.
#[derive(Clone)]
pub struct Settler {
    transactor: Transactor,
    engine: Engine,
    /// One for everything the engine is asked or told: it is one link.
    pace: Arc<Mutex<Pace>>,
    meters: Meters,
}

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// Scorings that were answered and are settled.
    pub settled: u32,
    /// Scorings that are asked about again later.
    pub postponed: u32,
    /// Ends of orders that the engine was told.
    pub reported: u32,
}

/// A run at work.
struct Working {
    /// When it began. What is put off is put off from then on, so that nothing is due in one run twice.
    now_ms: i64,
    watch: Stopwatch,
    /// The engine is out of reach.
    down: AtomicBool,
    /// Something could not be recorded, and is due as before.
    stuck: AtomicBool,
    asked: AtomicU32,
    settled: AtomicU32,
    postponed: AtomicU32,
    reported: AtomicU32,
}

impl Working {
    fn new(now_ms: i64) -> Self {
        let zero = || AtomicU32::new(0);
        let (asked, settled, postponed, reported) = (zero(), zero(), zero(), zero());
        let (watch, down, stuck) = (Stopwatch::start(), AtomicBool::new(false), AtomicBool::new(false));
        Self { now_ms, watch, down, stuck, asked, settled, postponed, reported }
    }

    /// Whether nothing more is to be asked.
    fn is_over(&self) -> bool {
        let has = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        has(&self.down) || has(&self.stuck) || self.watch.elapsed() >= RUN_TIME
    }

    /// The run's own time as it goes on.
    fn pace_ms(&self) -> u64 {
        self.now_ms.unsigned_abs().saturating_add(self.watch.elapsed_ms())
    }
}

impl Settler {
    /// A settler of the scorings in the transactor's database, who asks the engine as `identity`.
    #[must_use]
    pub fn new(transactor: Transactor, config: &Config, identity: &Identity, metrics: &Metrics) -> Self {
        let timeout_ms = u64::try_from(config.timeout.as_millis()).unwrap_or(u64::MAX);
        let pace = Arc::new(Mutex::new(Pace::new(timeout_ms)));
        let meters = Meters::new(metrics, &pace);
        Self { transactor, engine: Engine::new(config, identity), pace, meters }
    }

    /// Asks about what is due at `now_ms` (Unix milliseconds) and tells how orders ended, round after round, until nothing is due any
    /// more or its time is over. How much a round asks is for the pace to say; an engine found out of reach is not asked further.
    pub async fn settle_due(&self, now_ms: i64) -> Run {
        let run = Working::new(now_ms);
        // Bounded: each round asks something, what is asked is not due again, and the run has its time.
        while self.round(&run).await && !run.is_over() {}
        Run {
            settled: run.settled.into_inner(),
            postponed: run.postponed.into_inner(),
            reported: run.reported.into_inner(),
        }
    }

    /// Asks as much of what is due as the pace allows, and with what is left of it tells how orders ended. True when anything was asked.
    async fn round(&self, run: &Working) -> bool {
        let asked_before = run.asked.load(Ordering::Relaxed);
        let (allowed, now_ms) = (self.pace().allowed(run.pace_ms()), run.now_ms);
        let read = move |tx: &mut ::store::Tx<'_>| {
            let oldest_ms = store::oldest_waiting_ms(tx)?;
            Ok::<_, ::store::StoreError>((oldest_ms, store::due(tx, now_ms, allowed)?))
        };
        let (oldest_ms, questions) = match self.transactor.store().read(read).await {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, "cannot read what is due");
                return false;
            }
        };
        self.meters.waits_since(oldest_ms);
        let left = allowed - u32::try_from(questions.len()).unwrap_or(allowed).min(allowed);
        futures::stream::iter(questions)
            .for_each_concurrent(MAX_CONCURRENT, |question| self.ask_one(run, question))
            .await;
        self.report_due(run, left).await;
        let asked = run.asked.load(Ordering::Relaxed) - asked_before;
        if !run.down.load(Ordering::Relaxed) {
            self.pace().went_well(asked);
        }
        asked > 0
    }

    /// Forgets what was settled so long ago that nobody asks about it.
    pub async fn purge(&self, now_ms: i64) {
        let before_ms = now_ms - i64::from(OUTBOX_DAYS) * DAY_MS;
        for _ in 0..PURGE_BATCHES {
            let batch = move |tx: &mut ::store::Tx<'_>| store::purge(tx, before_ms, PURGE_BATCH);
            match self.transactor.store().write(now_ms, batch).await {
                Ok(count) if count == u64::from(PURGE_BATCH) => {}
                Ok(_) => return,
                Err(error) => {
                    warn!(%error, "old scorings could not be purged");
                    return;
                }
            }
        }
    }

    async fn ask_one(&self, run: &Working, question: Question) {
        let Some(admission) = self.admit(run) else { return };
        let answer = self.engine.ask(&question, run.now_ms).await;
        self.heard(run, admission, answer.as_ref().err());
        let (counter, meter) = match self.record(question, answer, run.now_ms).await {
            Ok(true) => (&run.settled, &self.meters.settled),
            Ok(false) => (&run.postponed, &self.meters.postponed),
            Err(error) => {
                // The scoring stays due as it was: the next run asks again.
                run.stuck.store(true, Ordering::Relaxed);
                warn!(%error, "cannot record the fraud engine's answer");
                return;
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        meter.increment(1);
    }

    /// Tells how orders ended, up to `limit` of them.
    async fn report_due(&self, run: &Working, limit: u32) {
        if limit == 0 || run.is_over() {
            return;
        }
        let now_ms = run.now_ms;
        match self.transactor.store().read(move |tx| reports::due(tx, now_ms, limit)).await {
            Ok(due) => {
                let all = futures::stream::iter(due);
                all.for_each_concurrent(MAX_CONCURRENT, |report| self.report_one(run, report)).await;
            }
            Err(error) => {
                let error: ::store::StoreError = error;
                warn!(%error, "cannot read what is to be reported");
            }
        }
    }

    async fn report_one(&self, run: &Working, report: Report) {
        let Some(admission) = self.admit(run) else { return };
        let told = self.engine.tell(&report).await;
        self.heard(run, admission, told.as_ref().err());
        let now_ms = run.now_ms;
        let is_old = now_ms - report.created_at_ms > MAX_REPORT_AGE_MS;
        let meter = match &told {
            Ok(()) => &self.meters.reported,
            Err(_) if is_old => &self.meters.report_dropped,
            Err(_) => &self.meters.report_postponed,
        };
        if let Err(error) = &told {
            warn!(order.id = %report.order_id, %error, dropped = is_old, "the fraud engine was not told how an order ended");
        }
        let is_told = told.is_ok();
        let write = move |tx: &mut ::store::Tx<'_>| {
            if is_told || is_old {
                return reports::remove(tx, &report);
            }
            let until_ms = now_ms + decide::wait_ms(&report.order_id, report.attempts);
            reports::postpone(tx, &report, until_ms)
        };
        match self.transactor.store().write(now_ms, write).await {
            Ok(()) => {
                meter.increment(1);
                run.reported.fetch_add(u32::from(is_told), Ordering::Relaxed);
            }
            // It stays due as it was; the engine knows an end that is told twice once.
            Err(error) => {
                run.stuck.store(true, Ordering::Relaxed);
                warn!(%error, "cannot record what the fraud engine was told");
            }
        }
    }

    /// Leave to call the engine once.
    fn admit(&self, run: &Working) -> Option<Admission> {
        if run.is_over() {
            return None;
        }
        let admission = self.pace().ask(run.pace_ms());
        if admission == Admission::Refused {
            return None;
        }
        run.asked.fetch_add(1, Ordering::Relaxed);
        Some(admission)
    }

    /// What a call told about the engine. A refusal is an answer: the engine is there. Being turned away at its door is none.
    fn heard(&self, run: &Working, admission: Admission, error: Option<&CallError>) {
        let is_well = !matches!(error, Some(CallError::Unavailable { .. } | CallError::TurnedAway { .. }));
        if !is_well {
            run.down.store(true, Ordering::Relaxed);
        }
        let (now_ms, chance) = (run.pace_ms(), clock::fraction());
        self.pace().answered(now_ms, admission, is_well, chance);
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().expect("nothing panics while it holds the pace")
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
