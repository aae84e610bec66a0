//! Notes how a return ended: what was inspected is paid back by the terms it was asked for with, also when it came late; what
//! lapsed may be asked for again.
//!
//! Listens to `fulfillment.return_closed.v1`.

use events::fulfillment::{InspectedLine, ReturnClosed, ReturnOutcome};
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind, Units};
use crate::order::hear;
use crate::reactions::heard;

/// Notes how a return ended.
pub(crate) struct NoteReturnClosed;

impl Reaction for NoteReturnClosed {
    const NAME: &'static str = "note-return-closed";
    type Event = ReturnClosed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnClosed>) -> Result<Vec<Event>, Failure> {
        let ReturnClosed { order_id, return_id, outcome, lines } = &event.data;
        let kind = match outcome {
            ReturnOutcome::Received => Kind::ReturnClosed,
            ReturnOutcome::Lapsed => Kind::ReturnLapsed,
        };
        let units = match outcome {
            ReturnOutcome::Received => lines.iter().map(came).collect(),
            ReturnOutcome::Lapsed => Vec::new(),
        };
        let entry = Entry { part: Some(return_id.to_string()), units, ..heard(kind, event) };
        hear(tx, order_id, entry)
    }
}

/// The units that came, whether they may be sold again or not.
fn came(line: &InspectedLine) -> Units {
    let quantity = line.restocked.saturating_add(line.scrapped);
    Units { product_id: line.product_id.clone(), quantity, damaged: line.damaged }
}
