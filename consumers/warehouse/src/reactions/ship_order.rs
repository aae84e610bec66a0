//! Ships an order: one shipment for everything of the inventory ledger, one for each freight product.
//!
//! Listens to `fulfillment.requested.v1`. Answers with `fulfillment.shipment_created.v1` per shipment, or with
//! `fulfillment.shipment_failed.v1` when the order was stopped or a product cannot be found.

use events::fulfillment::FulfillmentRequested;
use events::{Envelope, Event};
use runtime::{Failure, Inquiry};
use store::Tx;

use crate::command;
use crate::config::Delays;
use crate::decide::Locations;
use crate::locations::Ledgers;
use crate::reactions::story;

/// Asks the ledgers where the goods lie, then plans the shipments.
pub(crate) struct ShipOrder {
    pub ledgers: Ledgers,
    pub delays: Delays,
}

impl Inquiry for ShipOrder {
    const NAME: &'static str = "ship-order";
    type Event = FulfillmentRequested;
    type Answer = Locations;

    async fn ask(&self, event: &Envelope<FulfillmentRequested>) -> Result<Locations, Failure> {
        Ok(self.ledgers.locate(&event.data.lines).await?)
    }

    fn handle(
        &self,
        tx: &mut Tx<'_>,
        event: &Envelope<FulfillmentRequested>,
        locations: Locations,
    ) -> Result<Vec<Event>, Failure> {
        let (_, facts) = command::ship(tx, &event.data, &locations, &story(event), self.delays)?;
        Ok(facts)
    }
}
