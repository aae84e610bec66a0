//! Makes a checkout's hold firm.
//!
//! Listens to `inventory.stock_reserved.v1`. Answers with `inventory.stock_committed.v1` (and `stock_low` for products
//! that fell below their threshold) or `inventory.stock_rejected.v1`, never both and never neither.

use events::inventory::{Shortage, StockCommitted, StockLow, StockRejected, StockReserved};
use events::{Envelope, Event, Ledger};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::decide::{self, Commitment, Illegal};
use crate::{holds, products};

/// Commits every line of a hold or none of them.
pub struct CommitStock {
    /// The ledger this is.
    pub ledger: Ledger,
}

impl Reaction for CommitStock {
    const NAME: &'static str = "commit-stock";
    type Event = StockReserved;

    /// A hold that has lapsed is not an error: it is the answer [`StockRejected`].
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<StockReserved>) -> Result<Vec<Event>, Failure> {
        let asked = &event.data;
        if asked.ledger != self.ledger {
            return Ok(Vec::new());
        }
        let hold = holds::find(tx, &asked.reservation_id)?;
        match decide::commit(hold.as_ref(), asked, event.time.as_millisecond())? {
            Commitment::Firm => {
                if !holds::commit(tx, &asked.reservation_id)? {
                    return Err(Failure::transient(Code::ChangedMeanwhile, "the hold changed while it was made firm"));
                }
                firm(tx, asked)
            }
            Commitment::AlreadyFirm => Ok(vec![committed(asked)]),
            Commitment::Lapsed => {
                if holds::release_held(tx, &asked.reservation_id)? {
                    for line in hold.iter().flat_map(|hold| &hold.lines) {
                        if !products::free(tx, line)? {
                            return Err(Illegal::UnitsMissing(line.product_id.clone()).into());
                        }
                    }
                }
                Ok(vec![rejected(asked)])
            }
            Commitment::Gone => Ok(vec![rejected(asked)]),
        }
    }
}

fn firm(tx: &mut Tx<'_>, asked: &StockReserved) -> Result<Vec<Event>, Failure> {
    let mut said = vec![committed(asked)];
    for low in products::newly_low(tx, &asked.lines)? {
        let fact = StockLow {
            order_id: asked.order_id.clone(),
            ledger: asked.ledger,
            product_id: low.product_id,
            available: low.available,
            threshold: low.threshold,
        };
        said.push(fact.into());
    }
    Ok(said)
}

fn committed(asked: &StockReserved) -> Event {
    let StockReserved { order_id, reservation_id, ledger, lines, .. } = asked.clone();
    StockCommitted { order_id, reservation_id, ledger, lines }.into()
}

/// Of a hold that is gone nothing can be had, whatever is for sale to others.
fn rejected(asked: &StockReserved) -> Event {
    let StockReserved { order_id, reservation_id, ledger, lines, .. } = asked.clone();
    let shortage =
        |line: events::StockLine| Shortage { product_id: line.product_id, wanted: line.quantity, available: 0 };
    let shortages = lines.into_iter().map(shortage).collect();
    StockRejected { order_id, reservation_id, ledger, shortages }.into()
}
