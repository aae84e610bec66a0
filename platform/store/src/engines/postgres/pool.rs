//! One thread of the pool: takes a job, runs it in a transaction of its own, answers.

use std::collections::VecDeque;
use std::sync::Arc;

use postgres::Config;

use super::session::Session;
use crate::job::Job;
use crate::queue::Queue;
use crate::tx::Engine;
use crate::{StoreError, Tx};

/// A job and whether it may write.
pub(super) struct Queued {
    pub(super) job: Box<dyn Job>,
    pub(super) begin: &'static str,
}

/// Reads see one snapshot; writes see what is committed once they hold their lock ([`Tx::lock`]).
pub(super) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// How a thread reaches its database.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) schema: String,
    pub(super) lock_wait_ms: u128,
}

impl Address {
    pub(super) fn connect(&self) -> Result<Session, StoreError> {
        Session::connect(&self.config, &self.schema, self.lock_wait_ms)
    }
}

/// Serves the queue until it is closed and empty.
pub(super) fn serve(queue: &Arc<Queue<Queued>>, address: &Address) {
    let mut session = None;
    let mut taken = VecDeque::with_capacity(1);
    while queue.wait_take(&mut taken, 1) {
        for Queued { mut job, begin } in taken.drain(..) {
            let fate = run(&mut session, address, job.as_mut(), begin).err();
            if let Some(error) = &fate {
                tracing::warn!(%error, store.schema = address.schema, "a job was not committed");
            }
            job.answer(fate);
        }
    }
}

/// Runs one job to its commit or its rollback. An error is the job's fate.
fn run(
    session: &mut Option<Session>,
    address: &Address,
    job: &mut dyn Job,
    begin: &'static str,
) -> Result<(), StoreError> {
    let session = begun(session, address, begin)?;
    let mut tx = Tx::new(Engine::Postgres(session), job.now_ms());
    if job.run(&mut tx) {
        return session.batch("COMMIT").inspect_err(|_| roll_back(session));
    }
    roll_back(session);
    Ok(())
}

/// A session inside a new transaction. A connection that broke since is replaced, because the job has not run yet.
fn begun<'s>(
    session: &'s mut Option<Session>,
    address: &Address,
    begin: &'static str,
) -> Result<&'s mut Session, StoreError> {
    if let Some(idle) = session
        && idle.batch(begin).is_err()
    {
        *session = None;
    }
    match session {
        Some(session) => Ok(session),
        None => {
            let fresh = session.insert(address.connect()?);
            fresh.batch(begin)?;
            Ok(fresh)
        }
    }
}

/// A rollback fails only with its connection, and the server rolls back what a lost connection left.
fn roll_back(session: &mut Session) {
    if let Err(error) = session.batch("ROLLBACK") {
        tracing::warn!(%error, "the connection broke before its rollback");
    }
}
