//! One call under way, and what it tells of the address it went to.

use super::Inner;
use super::{CallError, Reply};
use crate::balance::Fate;
use crate::clock::{self, Stopwatch};

/// A call under way to one of several addresses. With one address there is nothing to choose and nothing to keep.
pub(super) struct Call<'a> {
    peer: &'a Inner,
    pub(super) index: usize,
    watch: Stopwatch,
    fate: Option<Fate>,
}

impl<'a> Call<'a> {
    pub(super) fn begin(peer: &'a Inner, tried: &[usize]) -> Self {
        let watch = Stopwatch::start();
        let index =
            if peer.bases.len() > 1 { peer.balance().begin(clock::now_ms(), tried, clock::fraction) } else { 0 };
        Self { peer, index, watch, fate: None }
    }

    /// 502, 503 and 504 say that this address cannot, whatever is asked; other statuses are answers.
    pub(super) fn end(mut self, reply: &Result<Reply, CallError>) {
        let failed = match reply {
            Ok(reply) => (502..=504).contains(&reply.status.as_u16()),
            Err(error) => error.again(),
        };
        self.fate = Some(if failed { Fate::Failed } else { Fate::Answered });
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.peer.bases.len() == 1 {
            return;
        }
        // Who is given up by its caller after most of its time would have failed.
        let given_up = self.watch.elapsed() >= self.peer.timeout.mul_f64(0.9);
        let fate = self.fate.unwrap_or(if given_up { Fate::Failed } else { Fate::Abandoned });
        self.peer.balance().end(self.index, fate, clock::now_ms(), clock::fraction());
    }
}
