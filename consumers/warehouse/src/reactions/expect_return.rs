//! Expects goods back.
//!
//! Listens to `fulfillment.return_requested.v1`. Says nothing until they are here (`POST /returns/{returnId}/received`).

use events::fulfillment::ReturnRequested;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::reactions::story;
use crate::rows;

/// Writes down what is to come back.
pub(crate) struct ExpectReturn;

impl Reaction for ExpectReturn {
    const NAME: &'static str = "expect-return";
    type Event = ReturnRequested;

    /// # Errors
    /// [`Failure::Permanent`] for goods that never left.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnRequested>) -> Result<Vec<Event>, Failure> {
        let ReturnRequested { order_id, return_id, lines, .. } = &event.data;
        let shipments = rows::of_order(tx, order_id)?;
        let left = |ledger| shipments.iter().any(|shipment| shipment.ledger == ledger && shipment.has_left());
        if !lines.iter().all(|line| left(line.ledger)) {
            return Err(Failure::permanent("illegal_state", "what has not left the house cannot come back"));
        }
        rows::expect_return(tx, return_id, order_id, lines, &story(event))?;
        Ok(Vec::new())
    }
}
