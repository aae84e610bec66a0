//! One process of a service, from its start to its death. What it has in memory dies with it.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tokio::sync::Notify;

/// The step at which a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Before a transaction began: an event was not claimed.
    BeforeTransaction,
    /// After the handler and before its commit.
    BeforeCommit,
    /// After the commit and before anything was published.
    AfterCommit,
    /// On the way to Pub/Sub.
    BeforePublish,
    /// Pub/Sub has it, and it is not marked.
    AfterPublish,
    /// All is done but the answer.
    BeforeAnswer,
    /// Before another service was called.
    BeforeCall,
    /// After another service answered.
    AfterCall,
    /// At no step of its own: somebody pulled the plug, for a longer while.
    Outage,
}

impl Place {
    /// Every step.
    pub const ALL: [Place; 9] = [
        Place::BeforeTransaction,
        Place::BeforeCommit,
        Place::AfterCommit,
        Place::BeforePublish,
        Place::AfterPublish,
        Place::BeforeAnswer,
        Place::BeforeCall,
        Place::AfterCall,
        Place::Outage,
    ];
}

/// A process.
#[derive(Debug)]
pub(crate) struct Life {
    /// Whose.
    pub(crate) service: &'static str,
    over: AtomicBool,
    ended: Notify,
}

impl Life {
    pub(crate) fn new(service: &'static str) -> Self {
        Self { service, over: AtomicBool::new(false), ended: Notify::new() }
    }

    /// Whether the process is dead. Its tasks may still be there; every door is shut for them.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// The process dies. True the first time.
    pub(crate) fn end(&self) -> bool {
        let first = !self.over.swap(true, Ordering::Relaxed);
        self.ended.notify_waiters();
        first
    }

    /// Waits for the death.
    pub(crate) async fn ended(&self) {
        let ended = self.ended.notified();
        if !self.is_over() {
            ended.await;
        }
    }

    /// Where a dead process stays: it never comes back from here.
    pub(crate) async fn go_on(&self) {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }
}
