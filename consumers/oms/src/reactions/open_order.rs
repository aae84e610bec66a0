//! Takes over an order that checkout confirmed.
//!
//! Listens to `order.confirmed.v1`. Facts that came before it are in the set already, so the order may go on at once.

use events::order::OrderConfirmed;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};
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
        let OrderConfirmed { order_id, customer_id, .. } = &event.data;
        let mut order = rows::find(tx, order_id)?.unwrap_or_default();
        refuse_when_full(&order)?;
        if order.facts.has(Kind::OrderRejected) {
            return Err(Failure::permanent(Code::IllegalState, "the order was rejected before it was confirmed"));
        }
        if !order.facts.add(heard(Kind::OrderConfirmed, event)) {
            return Ok(Vec::new());
        }
        order.facts.open(&event.data);
        order.contents = Some(serde_json::to_string(&event.data).expect("a fact has only strings and integers"));
        order.customer_id = Some(customer_id.clone());
        order.placed_at_ms = Some(event.time.as_millisecond());
        order.opened = true;
        order.proceed(tx, order_id)
    }
}
