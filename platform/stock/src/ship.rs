//! Lets a shipment's units leave the house.
//!
//! Listens to `fulfillment.shipment_dispatched.v1` and says nothing.

use events::fulfillment::ShipmentDispatched;
use events::{Envelope, Event, Ledger};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::decide::{self, Illegal};
use crate::{holds, products};

/// Takes the units of a firm hold out of the stock, once per shipment.
pub struct ShipStock {
    /// The ledger this is.
    pub ledger: Ledger,
}

impl Reaction for ShipStock {
    const NAME: &'static str = "ship-stock";
    type Event = ShipmentDispatched;

    /// A shipment without a firm hold (never made, lapsed, or cancelled) is a mistake that a person has to look at.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentDispatched>) -> Result<Vec<Event>, Failure> {
        let dispatched = &event.data;
        if dispatched.ledger != self.ledger {
            return Ok(Vec::new());
        }
        let holds = holds::of_order(tx, &dispatched.order_id)?;
        if let Some(hold) = decide::ship(&holds, dispatched)? {
            if !holds::ship(tx, &hold.reservation_id, &dispatched.shipment_id)? {
                return Err(Failure::transient("changed_meanwhile", "the hold changed while it was shipped"));
            }
            for line in &hold.lines {
                if !products::ship(tx, line)? {
                    return Err(Illegal::UnitsMissing(line.product_id.clone()).into());
                }
            }
        }
        Ok(Vec::new())
    }
}
