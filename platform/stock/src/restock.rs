//! Takes returned units in.
//!
//! Listens to `fulfillment.return_received.v1` and says nothing.

use events::fulfillment::ReturnReceived;
use events::{Envelope, Event, Ledger};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::decide::Illegal;
use crate::{holds, products};

/// Adds what may be sold again, once per return.
pub struct RestockReturn {
    /// The ledger this is.
    pub ledger: Ledger,
}

impl Reaction for RestockReturn {
    const NAME: &'static str = "restock-return";
    type Event = ReturnReceived;

    /// A product that the ledger no longer has cannot be taken in: a person has to decide.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnReceived>) -> Result<Vec<Event>, Failure> {
        let received = &event.data;
        if received.ledger == self.ledger && holds::note_return(tx, received)? {
            for line in &received.lines {
                if !products::restock(tx, line)? {
                    return Err(Illegal::UnknownProduct(line.product_id.clone()).into());
                }
            }
        }
        Ok(Vec::new())
    }
}
