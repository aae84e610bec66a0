//! Takes what was given back off what was spent.
//!
//! Listens to `billing.refund_issued.v1`. Says nothing.

use ::store::Tx;
use events::billing::RefundIssued;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};

use crate::count_order::unknown_customer;
use crate::vault::Vault;
use crate::{decide, store};

/// Takes a refund off what was spent.
pub(crate) struct DeductRefund {
    /// Finds customers by the id they know, as events from before they were sealed name them.
    pub(crate) vault: Vault,
}

impl Reaction for DeductRefund {
    const NAME: &'static str = "deduct-refund";
    type Event = RefundIssued;

    /// # Errors
    /// [`Failure::Permanent`] for a customer who is not here, or an amount that does not fit.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<RefundIssued>) -> Result<Vec<Event>, Failure> {
        let RefundIssued { order_id, customer_id, amount, .. } = &event.data;
        let amount_minor = amount.minor().map_err(|error| Failure::permanent(Code::InvalidFact, error.to_string()))?;
        let change = decide::refund(store::counted(tx, order_id.as_str())?, amount_minor);
        if store::count(tx, &self.vault, order_id.as_str(), customer_id, &change)? {
            Ok(Vec::new())
        } else {
            Err(unknown_customer())
        }
    }
}
