//! Counts a completed order and what was spent on it.
//!
//! Listens to `order.completed.v1`. Says nothing.

use ::store::Tx;
use events::order::OrderCompleted;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};

use crate::count_order::unknown_customer;
use crate::vault::Vault;
use crate::{decide, store};

/// Counts a completed order.
pub(crate) struct CountCompletion {
    /// Finds customers by the id they know, as events from before they were sealed name them.
    pub(crate) vault: Vault,
}

impl Reaction for CountCompletion {
    const NAME: &'static str = "count-completion";
    type Event = OrderCompleted;

    /// # Errors
    /// [`Failure::Permanent`] for a customer who is not here, or an amount that does not fit.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCompleted>) -> Result<Vec<Event>, Failure> {
        let OrderCompleted { order_id, customer_id, total, .. } = &event.data;
        let total_minor = total.minor().map_err(|error| Failure::permanent(Code::InvalidFact, error.to_string()))?;
        let change = decide::complete(store::counted(tx, order_id.as_str())?, total_minor);
        if store::count(tx, &self.vault, order_id.as_str(), customer_id, &change)? {
            Ok(Vec::new())
        } else {
            Err(unknown_customer())
        }
    }
}
