//! What stands before every call to a required edge: one deadline over all its tries, and the log entry for its failure.
//!
//! This is the place of a breaker (refuse at once while the edge is known to be down) and of a bulkhead (bound the calls under way).

use std::future::Future;
use std::time::Duration;

use runtime::{CallError, Peer};
use tracing::warn;

use super::EdgeDown;

/// One required edge, called within its deadline.
pub(crate) struct Guard {
    peer: Peer,
    deadline: Duration,
}

impl Guard {
    /// The edge `peer`; a call and its repetitions take at most `deadline`.
    pub(crate) fn new(peer: Peer, deadline: Duration) -> Self {
        Self { peer, deadline }
    }

    /// The edge itself.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// That the edge cannot answer, with the cause logged.
    pub(crate) fn down(&self, cause: &dyn std::fmt::Display) -> EdgeDown {
        warn!(edge = self.peer.name(), %cause, "a required edge cannot answer");
        EdgeDown(self.peer.name())
    }

    /// Waits for a call to this edge. Whatever is not an answer is [`EdgeDown`]: to the order it is all the same.
    pub(crate) fn wait<'a, T: 'a>(
        &'a self,
        call: impl Future<Output = Result<T, CallError>> + Send + 'a,
    ) -> impl Future<Output = Result<T, EdgeDown>> + Send + 'a {
        // On the heap: an order's future holds several calls, and most orders make few of them.
        let call = Box::pin(tokio::time::timeout(self.deadline, call));
        async move {
            match call.await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(self.down(&error)),
                Err(_) => Err(self.down(&format_args!("no answer within {} ms", self.deadline.as_millis()))),
            }
        }
    }
}
