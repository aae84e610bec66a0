//! A caller's work on its way to a connection's thread and its answer on the way back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{StoreError, Tx};

/// A job whose types are forgotten, so that jobs of every kind share one queue.
pub(crate) trait Job: Send {
    /// The caller's time, for its own [`Tx`]. Unix milliseconds.
    fn now_ms(&self) -> i64;

    /// Runs the job once. True: keep its effects. False: roll them back.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells the caller: the job's own result, or `fate` when the transaction failed around it. A caller that went
    /// away is no error.
    fn answer(self: Box<Self>, fate: Option<StoreError>);
}

/// A job with its types.
pub(crate) struct Work<F, R, E> {
    now_ms: i64,
    job: Option<F>,
    outcome: Option<Result<R, E>>,
    reply: oneshot::Sender<Result<R, E>>,
}

impl<F, R, E> Work<F, R, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    /// Packs a job, and gives the other end of its answer.
    pub(crate) fn pack(now_ms: i64, job: F) -> (Box<dyn Job>, oneshot::Receiver<Result<R, E>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Work { now_ms, job: Some(job), outcome: None, reply }), answer)
    }
}

impl<F, R, E> Job for Work<F, R, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(job) = self.job.take() else { return false };
        let outcome = run_caught(tx, job);
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, fate: Option<StoreError>) {
        let outcome = match (fate, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(error), _) => Err(error.into()),
            (None, None) => Err(StoreError::closed().into()),
        };
        // The caller may have stopped waiting; the commit stands without it.
        let _ = self.reply.send(outcome);
    }
}

/// Runs a job so that neither a panic nor a swallowed statement error lets half of it be committed.
pub(crate) fn run_caught<R, E: From<StoreError>>(
    tx: &mut Tx<'_>,
    job: impl FnOnce(&mut Tx<'_>) -> Result<R, E>,
) -> Result<R, E> {
    // Unwind safety: after a panic the transaction is rolled back and nothing else of the job is looked at.
    match catch_unwind(AssertUnwindSafe(|| job(tx))) {
        Ok(Ok(value)) => match tx.failure() {
            None => Ok(value),
            Some(error) => Err(error.clone().into()),
        },
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(StoreError::JobPanicked { message: message_of(panic.as_ref()) }.into()),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
