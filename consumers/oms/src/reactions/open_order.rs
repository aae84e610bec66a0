//! Takes over an order that checkout confirmed.
//!
//! Listens to `order.confirmed.v1`. Facts that came before it are in the set already, so the order may go on at once.

use events::order::OrderConfirmed;
use events::{Envelope, Event, Ledger};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::refuse_when_full;
use crate::reactions::heard;
use crate::rows;

/// Writes down what was bought, and from which ledgers.
pub(crate) struct OpenOrder;

impl Reaction for OpenOrder {
    const NAME: &'static str = "open-order";
    type Event = OrderConfirmed;

    /// # Errors
    /// [`Failure::Permanent`] for an order that checkout also says it rejected.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderConfirmed>) -> Result<Vec<Event>, Failure> {
        let OrderConfirmed { order_id, customer_id, lines, risk, .. } = &event.data;
        let mut order = rows::find(tx, order_id)?.unwrap_or_default();
        refuse_when_full(&order)?;
        if order.facts.has(Kind::OrderRejected) {
            return Err(Failure::permanent("illegal_state", "the order was rejected before it was confirmed"));
        }
        if !order.facts.add(heard(Kind::OrderConfirmed, event)) {
            return Ok(Vec::new());
        }
        let taken_from = |ledger: &Ledger| lines.iter().any(|line| line.ledger == *ledger);
        order.facts.ledgers = Ledger::ALL.into_iter().filter(taken_from).collect();
        order.facts.risk = Some(*risk);
        order.contents = Some(serde_json::to_string(&event.data).expect("a fact has only strings and integers"));
        order.customer_id = Some(customer_id.clone());
        order.placed_at_ms = Some(event.time.as_millisecond());
        order.opened = true;
        order.proceed(tx, order_id)
    }
}
