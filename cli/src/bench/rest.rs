//! Which orders have ended, as the OMS counts them, and waiting until all have.

use std::time::Duration;

use anyhow::Context;
use runtime::Peer;
use runtime::clock::Stopwatch;
use serde_json::Value;

/// How often the OMS is asked while a backlog is worked off. Each answer costs the shop a little.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// A backlog that does not shrink for so long is stuck.
pub const STUCK_AFTER: Duration = Duration::from_secs(30);

/// Orders that have ended, out of those that checkout confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Delivered.
    pub completed: u64,
    /// Given up.
    pub cancelled: u64,
}

impl Ended {
    /// Both.
    #[must_use]
    pub fn all(self) -> u64 {
        self.completed + self.cancelled
    }

    fn of(summary: &Value) -> Self {
        Self { completed: count(summary, "completed"), cancelled: count(summary, "cancelled") }
    }
}

/// Knows how many orders were placed, and so how many must end.
pub struct Rest {
    oms: Peer,
    /// Ended when all placed so far have.
    expected: u64,
}

impl Rest {
    /// Begins with what has ended so far.
    ///
    /// # Errors
    /// When the OMS does not answer.
    pub async fn begin(oms: Peer) -> anyhow::Result<Self> {
        let expected = ended(&oms).await?.all();
        Ok(Self { oms, expected })
    }

    /// So many more orders were confirmed.
    pub fn placed(&mut self, orders: u64) {
        self.expected += orders;
    }

    /// What has ended by now.
    ///
    /// # Errors
    /// When the OMS does not answer.
    pub async fn ended(&self) -> anyhow::Result<Ended> {
        ended(&self.oms).await
    }

    /// Waits until every order placed has ended. Answers how many have not although nothing moved for
    /// [`STUCK_AFTER`]; those are not waited for again.
    ///
    /// # Errors
    /// When the OMS does not answer.
    pub async fn wait(&mut self) -> anyhow::Result<u64> {
        let mut last = 0;
        let mut moved = Stopwatch::start();
        loop {
            let now = self.ended().await?.all();
            if now >= self.expected {
                self.expected = now;
                return Ok(0);
            }
            if now != last {
                (last, moved) = (now, Stopwatch::start());
            }
            if moved.elapsed() > STUCK_AFTER {
                let missing = self.expected - now;
                self.expected = now;
                return Ok(missing);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

async fn ended(oms: &Peer) -> anyhow::Result<Ended> {
    let summary: Value = oms.get("/orders/summary").await.context("cannot ask the OMS which orders have ended")?;
    Ok(Ended::of(&summary))
}

/// The count of a status; one that no order has may be absent.
fn count(summary: &Value, status: &str) -> u64 {
    summary[status].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rejected_and_open_orders_have_not_ended_a_confirmed_one() {
        let summary = json!({ "confirmed": 3, "completed": 5, "cancelled": 2, "rejected": 9 });
        assert_eq!(Ended::of(&summary), Ended { completed: 5, cancelled: 2 });
        assert_eq!(Ended::of(&json!({})).all(), 0);
    }
}
