//! Keeps the goods of a cancelled order in the house.
//!
//! Listens to `order.cancelled.v1`. Says nothing: OMS knows. A request to ship that comes later ships nothing.

use events::order::OrderCancelled;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::command;

/// Cancels what has not left.
pub(crate) struct CallOffShipments;

impl Reaction for CallOffShipments {
    const NAME: &'static str = "call-off-shipments";
    type Event = OrderCancelled;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        command::call_off(tx, &event.data.order_id)?;
        Ok(Vec::new())
    }
}
