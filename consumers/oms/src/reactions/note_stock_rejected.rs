//! Notes that a ledger has not got the units, which ends the order.
//!
//! Listens to `inventory.stock_rejected.v1`.

use events::inventory::StockRejected;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that a ledger has not got the units, which ends the order.
pub(crate) struct NoteStockRejected;

impl Reaction for NoteStockRejected {
    const NAME: &'static str = "note-stock-rejected";
    type Event = StockRejected;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<StockRejected>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, Entry { ledger: Some(event.data.ledger), ..heard(Kind::StockRejected, event) })
    }
}
