//! Writes down an order that checkout refused, so that people find it.
//!
//! Listens to `order.rejected.v1`. Says nothing: nothing was held, billed or shipped.

use events::order::OrderRejected;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::refuse_when_full;
use crate::reactions::heard;
use crate::rows;

/// Opens and closes the order at once.
pub(crate) struct CloseRejected;

impl Reaction for CloseRejected {
    const NAME: &'static str = "close-rejected";
    type Event = OrderRejected;

    /// # Errors
    /// [`Failure::Permanent`] for an order that checkout also says it confirmed.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderRejected>) -> Result<Vec<Event>, Failure> {
        let OrderRejected { order_id, customer_id, .. } = &event.data;
        let mut order = rows::find(tx, order_id)?.unwrap_or_default();
        refuse_when_full(&order)?;
        if order.facts.has(Kind::OrderConfirmed) {
            return Err(Failure::permanent(Code::IllegalState, "the order was confirmed before it was rejected"));
        }
        if !order.facts.add(heard(Kind::OrderRejected, event)) {
            return Ok(Vec::new());
        }
        order.customer_id = Some(customer_id.clone());
        order.placed_at_ms = Some(event.time.as_millisecond());
        order.opened = true;
        order.proceed(tx, order_id)
    }
}
