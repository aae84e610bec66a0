//! A ledger as a consumer.

use events::Ledger;
use runtime::Consumer;

use crate::commit::CommitStock;
use crate::lapse::LapseHolds;
use crate::release::ReleaseStock;
use crate::restock::RestockReturn;
use crate::ship::ShipStock;

/// A consumer with everything a ledger reacts to. Its name is the ledger's.
#[must_use]
pub fn reactions(ledger: Ledger) -> Consumer {
    Consumer::new(ledger.as_str())
        .on(CommitStock { ledger })
        .on(ReleaseStock { ledger })
        .on(ShipStock { ledger })
        .on(RestockReturn { ledger })
        .on(LapseHolds { ledger })
}
