//! Puts a cancelled order's units up for sale again.
//!
//! Listens to `order.cancelled.v1`. Answers with `inventory.stock_released.v1` for each hold that ended, and remembers
//! the order, so that nothing is held for it afterwards.

use events::inventory::StockReleased;
use events::order::OrderCancelled;
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
        let holds = holds::of_order(tx, order_id)?;
        let mut said = Vec::new();
        for hold in decide::cancel(&holds) {
            if !holds::release(tx, &hold.reservation_id)? {
                continue;
            }
            for line in &hold.lines {
                if !products::free(tx, line)? {
                    return Err(Illegal::UnitsMissing(line.product_id.clone()).into());
                }
            }
            let (order_id, lines) = (order_id.clone(), hold.lines.clone());
            said.push(StockReleased { order_id, ledger: self.ledger, lines }.into());
        }
        Ok(said)
    }
}
