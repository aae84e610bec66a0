//! Notes how orders ended, for the fraud engine: what it learns about customers, it learns from this.
//!
//! Listens to `order.completed.v1` and `order.cancelled.v1`. Says nothing: the engine is told over the VPN, when it can be.

use ::store::Tx;
use events::order::{CancellationReason, OrderCancelled, OrderCompleted};
use events::{Envelope, Event, OrderId};
use runtime::{Failure, Reaction};

use crate::report::{CANCELLED, COMPLETED, FRAUD, Report};
use crate::reports;

/// The longest duration the engine takes, in milliseconds: a day. Orders that took longer took a day.
const MAX_DURATION_MS: i64 = 86_400_000;

/// Notes an order's good end.
pub(crate) struct NoteCompletion;

impl Reaction for NoteCompletion {
    const NAME: &'static str = "note-completion";
    type Event = OrderCompleted;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCompleted>) -> Result<Vec<Event>, Failure> {
        reports::add(tx, &report(event, &event.data.order_id, COMPLETED, true))?;
        Ok(Vec::new())
    }
}

/// Notes an order's other end.
pub(crate) struct NoteCancellation;

impl Reaction for NoteCancellation {
    const NAME: &'static str = "note-cancellation";
    type Event = OrderCancelled;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        let OrderCancelled { order_id, reason } = &event.data;
        let kind = if *reason == CancellationReason::FraudConfirmed { FRAUD } else { CANCELLED };
        reports::add(tx, &report(event, order_id, kind, false))?;
        Ok(Vec::new())
    }
}

/// The story's first event was minted when the order was confirmed, and its id tells when that was.
fn report<F>(event: &Envelope<F>, order_id: &OrderId, kind: &str, success: bool) -> Report {
    let ended_ms = event.time.as_millisecond();
    let began_ms = event.correlation_id.minted_at_ms().unwrap_or(ended_ms);
    Report {
        order_id: order_id.clone(),
        transaction_type: kind.to_owned(),
        duration_ms: (ended_ms - began_ms).clamp(0, MAX_DURATION_MS),
        success,
        attempts: 0,
        created_at_ms: 0,
    }
}
