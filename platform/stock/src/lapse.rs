//! Puts the units of holds whose deadline passed up for sale again.
//!
//! Listens to `platform.minute_elapsed.v1`. Answers with `inventory.stock_released.v1` for each hold that ended. A reservation that comes
//! after it finds its hold gone and is rejected.

use std::collections::BTreeMap;

use events::inventory::StockReleased;
use events::platform::MinuteElapsed;
use events::{Envelope, Event, Ledger, ProductId, StockLine};
use runtime::{Failure, Reaction};
use store::Tx;

use crate::decide::Illegal;
use crate::holds::Hold;
use crate::limits::MAX_LAPSES_PER_MINUTE;
use crate::{holds, products};

/// Releases holds that were never made firm, those that lapsed first before the others, up to a limit a minute.
pub struct LapseHolds {
    /// The ledger this is.
    pub ledger: Ledger,
}

impl Reaction for LapseHolds {
    const NAME: &'static str = "lapse-holds";
    type Event = MinuteElapsed;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<MinuteElapsed>) -> Result<Vec<Event>, Failure> {
        let until_ms = event.data.until_ms(tx.now_ms());
        let mut lapsed = holds::lapsed(tx, until_ms, MAX_LAPSES_PER_MINUTE)?;
        // Everybody takes the rows of several holds by their ids, so that nobody waits for each other.
        lapsed.sort_by(|one, other| one.reservation_id.cmp(&other.reservation_id));
        let mut freed: BTreeMap<ProductId, u32> = BTreeMap::new();
        let mut said = Vec::new();
        for hold in lapsed {
            // Firm or withdrawn since it was found: it is no longer ours to end.
            if !holds::release_held(tx, &hold.reservation_id)? {
                continue;
            }
            for line in &hold.lines {
                *freed.entry(line.product_id.clone()).or_default() += line.quantity;
            }
            said.extend(self.released(hold));
        }
        for (product_id, quantity) in freed {
            let line = StockLine { product_id, quantity };
            if !products::free(tx, &line)? {
                return Err(Illegal::UnitsMissing(line.product_id).into());
            }
        }
        Ok(said)
    }
}

impl LapseHolds {
    /// A hold without an order was forbidden before it was made, and holds nothing.
    fn released(&self, hold: Hold) -> Option<Event> {
        let order_id = hold.order_id?;
        Some(StockReleased { order_id, ledger: self.ledger, lines: hold.lines }.into())
    }
}
