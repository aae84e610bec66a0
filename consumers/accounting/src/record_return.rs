//! Records what came back. The money follows with `billing.refund_requested`.
//!
//! Listens to `fulfillment.return_received.v1`. Says nothing.

use events::fulfillment::ReturnReceived;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::{Tx, params};

const ADD: &str = "INSERT INTO returns_received (return_id, ledger, order_id, lines, received_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (return_id, ledger) DO NOTHING";

/// Records a return.
pub(crate) struct RecordReturn;

impl Reaction for RecordReturn {
    const NAME: &'static str = "record-return";
    type Event = ReturnReceived;

    /// # Errors
    /// [`Failure::Transient`] when the database fails.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnReceived>) -> Result<Vec<Event>, Failure> {
        let ReturnReceived { order_id, return_id, ledger, lines, .. } = &event.data;
        let lines = serde_json::to_string(lines).expect("stock lines have only strings and integers");
        let received_at_ms = event.time.as_millisecond();
        let values = params![return_id.as_str(), ledger.as_str(), order_id.as_str(), &lines, received_at_ms];
        tx.execute(ADD, values)?;
        Ok(Vec::new())
    }
}
