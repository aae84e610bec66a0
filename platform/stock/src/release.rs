//! Puts a cancelled order's units up for sale again.
//!
//! Listens to `order.cancelled.v1`. Answers with `inventory.stock_released.v1` for each hold that ended, and remembers
//! the order, so that nothing is held for it afterwards. What left the house and could not be delivered is not released: it comes back as a
//! return.

use events::inventory::StockReleased;
use events::order::{CancellationReason, OrderCancelled};
use events::{Envelope, Event, Ledger};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::decide::{self, Illegal};
use crate::{holds, products};

/// Releases every hold of the order, firm or not.
pub struct ReleaseStock {
    /// The ledger this is.
    pub ledger: Ledger,
}

impl Reaction for ReleaseStock {
    const NAME: &'static str = "release-stock";
    type Event = OrderCancelled;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        let order_id = &event.data.order_id;
        holds::cancel(tx, order_id)?;
        if event.data.reason == CancellationReason::Undeliverable {
            // All of it left the house: if that was not heard yet, it will be, and its units are not here to be sold.
            return Ok(Vec::new());
        }
        let holds = holds::of_order(tx, order_id)?;
        let departures = holds::departures(tx, order_id)?;
        let mut said = Vec::new();
        for hold in decide::cancel(&holds) {
            if !holds::release(tx, &hold.reservation_id)? {
                continue;
            }
            let lines = decide::left(hold, &departures);
            for line in &lines {
                if !products::free(tx, line)? {
                    return Err(Illegal::UnitsMissing(line.product_id.clone()).into());
                }
            }
            let order_id = order_id.clone();
            said.push(StockReleased { order_id, ledger: self.ledger, lines }.into());
        }
        Ok(said)
    }
}
