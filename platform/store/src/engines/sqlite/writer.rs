//! The one thread that writes: it takes what is waiting, runs each job in a savepoint and commits the group once.
//!
//! Nobody is answered before the commit is on disk. What a failed job saw of its neighbours may not come to be, so
//! failures wait for the commit too.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::connection::open_writer;
use super::statement::{self, Pinned, Session};
use crate::job::Job;
use crate::queue::Queue;
use crate::tx::Engine;
use crate::{Limits, StoreError, Tx};

/// The longest that jobs may be made to gather.
const LONGEST_GATHER: Duration = Duration::from_millis(10);

/// The writer's thread-to-be.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) queue: Arc<Queue<Box<dyn Job>>>,
    pub(super) limits: Limits,
}

/// Why a connection is no longer served.
enum End {
    Closed,
    /// A transaction that can neither be committed nor rolled back.
    Stuck,
}

impl Writer {
    /// Serves the queue until it is closed and empty, then folds the log into the file.
    pub(super) fn run(self, mut connection: Connection) {
        while let End::Stuck = self.serve(&connection) {
            match open_writer(&self.path, self.limits.lock_wait) {
                Ok(opened) => connection = opened,
                // The next group meets the stuck connection, is told so, and comes back here.
                Err(error) => tracing::error!(%error, "cannot reopen {}", self.path.display()),
            }
        }
        // Left undone, it is done when the file is next opened.
        if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "{} was closed with its log", self.path.display());
        }
    }

    fn serve(&self, connection: &Connection) -> End {
        let mut group = Group {
            session: Pinned::new(connection),
            writer: self,
            taken: VecDeque::with_capacity(self.limits.group_jobs),
            done: Vec::with_capacity(self.limits.group_jobs),
        };
        while !group.taken.is_empty() || self.take(&mut group.taken) {
            let fate = group.run().err();
            let clean = group.clean();
            if let Some(error) = &fate {
                tracing::warn!(%error, jobs = group.done.len(), "a group of jobs was not committed");
            }
            for job in group.done.drain(..) {
                job.answer(fate.clone());
            }
            if !clean {
                let error = StoreError::Unavailable { reason: "a transaction could not be ended".to_owned() };
                group.taken.drain(..).for_each(|job| job.answer(Some(error.clone())));
                return End::Stuck;
            }
        }
        End::Closed
    }

    /// Waits for jobs. One that is there already came during the last commit: the database is busy, so others are given
    /// time to share the next one.
    fn take(&self, taken: &mut VecDeque<Box<dyn Job>>) -> bool {
        if (1..self.limits.group_jobs).contains(&self.queue.waiting()) {
            std::thread::sleep(self.limits.gather.min(LONGEST_GATHER));
        }
        self.queue.wait_take(taken, self.limits.group_jobs)
    }
}

/// The jobs of one commit.
struct Group<'w, 'c> {
    session: Pinned<'c>,
    writer: &'w Writer,
    /// Off the queue, not yet run.
    taken: VecDeque<Box<dyn Job>>,
    /// Run, not yet answered.
    done: Vec<Box<dyn Job>>,
}

impl Group<'_, '_> {
    /// Runs jobs and commits them. An error is the fate of everything in `done`.
    fn run(&mut self) -> Result<(), StoreError> {
        let limits = &self.writer.limits;
        let changes_before = self.session.connection().total_changes();
        let mut kept = false;
        while let Some(job) = self.next_job() {
            self.run_one(job, &mut kept)?;
            let changes = self.session.connection().total_changes() - changes_before;
            if self.done.len() >= limits.group_jobs || changes >= limits.group_changes {
                break;
            }
        }
        if kept { self.control("COMMIT") } else { Ok(()) }
    }

    fn next_job(&mut self) -> Option<Box<dyn Job>> {
        if self.taken.is_empty() {
            let room = self.writer.limits.group_jobs.saturating_sub(self.done.len());
            self.writer.queue.try_take(&mut self.taken, room);
        }
        self.taken.pop_front()
    }

    /// Runs one job, and undoes it alone when it fails. `kept` says whether the open transaction holds effects of
    /// earlier jobs: only then a savepoint is needed, otherwise the whole transaction can be rolled back.
    fn run_one(&mut self, mut job: Box<dyn Job>, kept: &mut bool) -> Result<(), StoreError> {
        let begun = if *kept { self.control("SAVEPOINT job") } else { self.control("BEGIN IMMEDIATE") };
        if let Err(error) = begun {
            // What came with it waited as long and would meet the same lock.
            self.done.push(job);
            self.done.extend(self.taken.drain(..));
            return Err(error);
        }
        let mut tx = Tx::new(Engine::Sqlite(&mut self.session), job.now_ms());
        let keep = job.run(&mut tx);
        let failure = tx.failure().cloned();
        self.done.push(job);
        if self.session.connection().is_autocommit() {
            // A full disk or a failed read makes SQLite roll back everything, the neighbours' work too.
            let lost = || StoreError::Unavailable { reason: "the transaction was rolled back".to_owned() };
            return Err(failure.unwrap_or_else(lost));
        }
        match (keep, *kept) {
            (true, true) => self.control("RELEASE job"),
            (true, false) => {
                *kept = true;
                Ok(())
            }
            (false, true) => self.control("ROLLBACK TO job").and_then(|()| self.control("RELEASE job")),
            (false, false) => self.control("ROLLBACK"),
        }
    }

    /// Ends whatever transaction an error left open. False when it will not end.
    fn clean(&mut self) -> bool {
        if self.session.connection().is_autocommit() {
            return true;
        }
        if let Err(error) = self.control("ROLLBACK") {
            tracing::error!(%error, "cannot roll back");
        }
        self.session.connection().is_autocommit()
    }

    fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        statement::execute(&mut self.session, sql, &[]).map(|_| ())
    }
}
