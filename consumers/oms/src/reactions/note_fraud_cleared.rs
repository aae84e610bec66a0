//! Notes that the fraud engine, out of reach at checkout, finds nothing wrong.
//!
//! Listens to `risk.fraud_cleared.v1`.

use events::risk::FraudCleared;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::hear;
use crate::reactions::heard;

/// Notes that the fraud engine, out of reach at checkout, finds nothing wrong.
pub(crate) struct NoteFraudCleared;

impl Reaction for NoteFraudCleared {
    const NAME: &'static str = "note-fraud-cleared";
    type Event = FraudCleared;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<FraudCleared>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, heard(Kind::FraudCleared, event))
    }
}
