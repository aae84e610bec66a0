//! Holds orders against their deadlines.
//!
//! Listens to `platform.minute_elapsed.v1`. Says `order.stuck.v1` once for each step that was silent past its deadline. An order on hold
//! past the review's deadline is decided: `order.cancelled.v1`, or `order.released.v1` and what follows from it.

use events::order::{OrderReleased, OrderStuck};
use events::platform::MinuteElapsed;
use events::{Envelope, Event, OrderId};
use runtime::{Failure, Reaction, clock};
use store::{StoreError, Tx};

use crate::deadlines::{Deadlines, Unreviewed};
use crate::facts::{Entry, Kind};
use crate::order::Order;
use crate::rows;
use crate::waits::{self, Wait, What};

/// Orders looked at in one minute, at most; the others are due in the next.
const MAX_ORDERS_PER_MINUTE: u32 = 1_000;

/// Looks at the orders that are due, those that wait longest for the same things first.
pub(crate) struct WatchOrders {
    /// How long an order may wait.
    pub deadlines: Deadlines,
}

impl Reaction for WatchOrders {
    const NAME: &'static str = "watch-orders";
    type Event = MinuteElapsed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<MinuteElapsed>) -> Result<Vec<Event>, Failure> {
        let minute_ms = event.data.until_ms(tx.now_ms());
        rows::hear_minute(tx, event.data.minute.as_millisecond())?;
        let mut said = Vec::new();
        for order_id in self.due(tx, minute_ms)? {
            said.extend(self.look_at(tx, &order_id, minute_ms)?);
        }
        Ok(said)
    }
}

impl WatchOrders {
    /// Rows say what they wait for and since when; how long they may is asked here, for each set of waits a row can have.
    fn due(&self, tx: &mut Tx<'_>, minute_ms: i64) -> Result<Vec<OrderId>, StoreError> {
        let mut due = Vec::new();
        let mut left = MAX_ORDERS_PER_MINUTE;
        for bits in 1..=waits::ALL_BITS {
            if left == 0 {
                break;
            }
            let from_ms = minute_ms.saturating_sub(waits::shortest_ms(bits, &self.deadlines));
            let found = rows::waiting(tx, bits, from_ms, left)?;
            left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            due.extend(found);
        }
        Ok(due)
    }

    fn look_at(&self, tx: &mut Tx<'_>, order_id: &OrderId, minute_ms: i64) -> Result<Vec<Event>, Failure> {
        // Locked first, read afterwards: it may have gone on since it was found. Every other job locks one order only.
        tx.lock(order_id.as_str())?;
        let Some(mut order) = rows::find(tx, order_id)? else { return Ok(Vec::new()) };
        let overdue = waits::overdue(&order.facts, &self.deadlines, minute_ms);
        if overdue.is_empty() && order.watch == waits::watch(&order.facts) {
            return Ok(Vec::new());
        }
        let mut said = Vec::new();
        for wait in overdue {
            said.extend(self.act(tx.now_ms(), order_id, &mut order, &wait));
        }
        said.extend(order.proceed(tx, order_id)?);
        // The minute belongs to no story; what it makes of an order belongs to the order's.
        let first = order.facts.first_event().cloned();
        Ok(said.into_iter().map(|event| event.in_story(first.clone())).collect())
    }

    fn act(&self, now_ms: i64, order_id: &OrderId, order: &mut Order, wait: &Wait) -> Option<Event> {
        let order_id = order_id.clone();
        match (wait.step.what(), self.deadlines.unreviewed) {
            (What::Release, Unreviewed::Cancel) => {
                tracing::info!(order.id = order_id.as_str(), refused_by = "deadline", "a held order is refused");
                order.facts.add(Entry::new(Kind::ReviewRefused, now_ms));
                None
            }
            (What::Release, Unreviewed::Release) => {
                order.facts.add(Entry::new(Kind::OrderReleased, now_ms));
                Some(OrderReleased { order_id, released_by: "deadline".to_owned() }.into())
            }
            _ => {
                let (missing, owed_by) = (wait.step.missing(), wait.step.owed_by());
                tracing::warn!(order.id = order_id.as_str(), missing, owed_by, "an order is stuck");
                order.facts.add(wait.step.stuck(now_ms));
                let fact = OrderStuck {
                    order_id,
                    missing_event_type: missing.to_owned(),
                    ledger: wait.step.ledger(),
                    owed_by: owed_by.to_owned(),
                    since: clock::from_ms(wait.since_ms),
                };
                Some(fact.into())
            }
        }
    }
}
