//! Notes that a ledger made the order's units firm; the last missing yes has the order shipped.
//!
//! Listens to `inventory.stock_committed.v1`.

use events::inventory::StockCommitted;
use events::{Envelope, Event};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::facts::{Entry, Kind};
use crate::order::hear;
use crate::reactions::heard;

/// Notes that a ledger made the order's units firm; the last missing yes has the order shipped.
pub(crate) struct NoteStockCommitted;

impl Reaction for NoteStockCommitted {
    const NAME: &'static str = "note-stock-committed";
    type Event = StockCommitted;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<StockCommitted>) -> Result<Vec<Event>, Failure> {
        hear(tx, &event.data.order_id, Entry { ledger: Some(event.data.ledger), ..heard(Kind::StockCommitted, event) })
    }
}
