//! How a guarded call ends.

use crate::peer::CallError;
use crate::problem::Problem;

/// Why a guarded call brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// No connection, or one that broke off.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// 5xx.
    Failed,
    /// 429: it asks for fewer calls.
    Busy,
    /// An answer that is not its contract, or is too large to be read.
    Nonsense,
    /// The breaker is open: it was not called.
    BreakerOpen,
    /// Too many calls are under way: it was not called.
    BulkheadFull,
    /// The deadline over everything had passed: it was not called.
    TooLate,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Trouble; 8] = [
        Trouble::Unreachable,
        Trouble::TimedOut,
        Trouble::Failed,
        Trouble::Busy,
        Trouble::Nonsense,
        Trouble::BreakerOpen,
        Trouble::BulkheadFull,
        Trouble::TooLate,
    ];

    /// Its name, in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Trouble::Unreachable => "unreachable",
            Trouble::TimedOut => "timed_out",
            Trouble::Failed => "failed",
            Trouble::Busy => "busy",
            Trouble::Nonsense => "nonsense",
            Trouble::BreakerOpen => "breaker_open",
            Trouble::BulkheadFull => "bulkhead_full",
            Trouble::TooLate => "too_late",
        }
    }

    /// Whether trying again at once may help. It does not where the edge asked for fewer calls, or would say the same.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Trouble::Unreachable | Trouble::TimedOut | Trouble::Failed)
    }
}

/// Why there is no answer to go on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The edge refused with a 4xx. It is well; the same again gets the same.
    #[error("{edge} refused with {problem}")]
    Refused {
        /// Which edge.
        edge: &'static str,
        /// What it said.
        problem: Box<Problem>,
    },
    /// It cannot answer now. What could be tried again within the deadline has been.
    #[error("{edge} cannot answer, {}: {reason}", trouble.as_str())]
    Down {
        /// Which edge.
        edge: &'static str,
        /// In which way.
        trouble: Trouble,
        /// What happened, for the log.
        reason: String,
    },
}

impl GuardError {
    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            GuardError::Refused { problem, .. } => Some(problem.status),
            GuardError::Down { .. } => None,
        }
    }

    /// The trouble, unless the edge answered.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            GuardError::Refused { .. } => None,
            GuardError::Down { trouble, .. } => Some(*trouble),
        }
    }

    pub(super) fn of(edge: &'static str, error: CallError) -> Self {
        let (trouble, reason) = match error {
            CallError::Refused { problem, .. } => return Self::Refused { edge, problem },
            CallError::Unavailable { reason, .. } => (Trouble::Unreachable, reason),
            // That it does not know who we are is no word about what was asked.
            CallError::TurnedAway { problem, .. } => (Trouble::Failed, problem.to_string()),
            CallError::Unexpected { reason, .. } => (Trouble::Nonsense, reason),
        };
        Self::Down { edge, trouble, reason }
    }
}
