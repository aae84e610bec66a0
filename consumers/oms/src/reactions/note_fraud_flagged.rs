//! Notes that the fraud engine scored the order HIGH, which puts it on hold.
//!
//! Listens to `risk.fraud_flagged.v1`.

use events::risk::FraudFlagged;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::Kind;
use crate::order::hear;
use crate::reactions::heard;

/// Notes that the fraud engine scored the order HIGH, which puts it on hold.
pub(crate) struct NoteFraudFlagged;

impl Reaction for NoteFraudFlagged {
    const NAME: &'static str = "note-fraud-flagged";
    type Event = FraudFlagged;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<FraudFlagged>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, heard(Kind::FraudFlagged, event))
    }
}
