//! Lets a shipment's units leave the house.
//!
//! Listens to `fulfillment.shipment_dispatched.v1` and says nothing.

use events::fulfillment::ShipmentDispatched;
use events::states::hold::MACHINE;
use events::{Envelope, Event, Ledger};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::decide::{self, Illegal};
use crate::{holds, products};

/// Takes a shipment's units of a firm hold out of the stock, once per shipment however often it is dispatched.
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
        let departures = holds::departures(tx, &dispatched.order_id)?;
        if let Some((hold, trigger)) = decide::ship(&holds, &departures, dispatched)? {
            let to = MACHINE.next(hold.status, trigger)?;
            if !holds::ship(tx, hold, to, &dispatched.shipment_id, &dispatched.lines)? {
                return Err(Failure::transient(Code::ChangedMeanwhile, "the hold changed while it was shipped"));
            }
            for line in &dispatched.lines {
                if !products::ship(tx, line)? {
                    return Err(Illegal::UnitsMissing(line.product_id.clone()).into());
                }
            }
        }
        Ok(Vec::new())
    }
}
