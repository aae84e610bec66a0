//! Counts an order placed.
//!
//! Listens to `order.confirmed.v1`. Says nothing.

use ::store::Tx;
use events::order::OrderConfirmed;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};

use crate::store;
use crate::vault::Vault;

/// Counts an order placed.
pub(crate) struct CountOrder {
    /// Finds customers by the id they know, as events from before they were sealed name them.
    pub(crate) vault: Vault,
}

impl Reaction for CountOrder {
    const NAME: &'static str = "count-order";
    type Event = OrderConfirmed;

    /// # Errors
    /// [`Failure::Permanent`] for a customer who is not here: checkout asked before it confirmed. Import the customer, then replay.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderConfirmed>) -> Result<Vec<Event>, Failure> {
        if store::count_placed(tx, &self.vault, &event.data.customer_id)? {
            Ok(Vec::new())
        } else {
            Err(unknown_customer())
        }
    }
}

/// The failure of every reaction about a customer who is not here.
pub(crate) fn unknown_customer() -> Failure {
    Failure::permanent(Code::UnknownCustomer, "the customer of the order is not in the CRM")
}
