//! The rules of a ledger. Pure: same input, same answer.

use std::collections::BTreeMap;

use events::fulfillment::ShipmentDispatched;
use events::inventory::StockReserved;
use events::states::hold::{MACHINE, Trigger};
use events::{OrderId, ProductId, ReservationId, ShipmentId, StockLine};

use crate::holds::{Departure, Hold, Status};

/// Something that cannot be if everybody keeps to the rules. Not tried again: somebody has to look at it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The hold was made for another order.
    #[error("hold {0} is not of order {1}")]
    OtherOrder(ReservationId, OrderId),
    /// The event names other units than the hold.
    #[error("hold {0} is not of the units of the event")]
    OtherLines(ReservationId),
    /// Units left without a firm hold on them.
    #[error("shipment {0} has no firm hold of order {1}")]
    NoFirmHold(ShipmentId, OrderId),
    /// The table and the holds disagree about a product.
    #[error("product {0} does not have the units held")]
    UnitsMissing(ProductId),
    /// The product is not in the ledger.
    #[error("product {0} is not in the ledger")]
    UnknownProduct(ProductId),
}

impl From<Illegal> for runtime::Failure {
    fn from(illegal: Illegal) -> Self {
        runtime::Failure::permanent(runtime::Code::IllegalState, illegal.to_string())
    }
}

/// What becomes of a hold that is to be made firm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commitment {
    /// It becomes firm.
    Firm,
    /// It is firm already.
    AlreadyFirm,
    /// It lapsed: it is released and refused.
    Lapsed,
    /// Nothing of it is held: it is refused.
    Gone,
}

/// Whether a hold becomes firm. `said_at_ms` is when checkout asked, so that a slow delivery does not let it lapse.
///
/// # Errors
/// [`Illegal`] when the hold is of another order or of other units.
pub fn commit(hold: Option<&Hold>, asked: &StockReserved, said_at_ms: i64) -> Result<Commitment, Illegal> {
    let Some(hold) = hold.filter(|hold| hold.status != Status::Released) else {
        return Ok(Commitment::Gone);
    };
    if hold.order_id.as_ref() != Some(&asked.order_id) {
        return Err(Illegal::OtherOrder(hold.reservation_id.clone(), asked.order_id.clone()));
    }
    if !same_units(&hold.lines, &asked.lines) {
        return Err(Illegal::OtherLines(hold.reservation_id.clone()));
    }
    Ok(match hold.status {
        Status::Held if said_at_ms < hold.expires_at_ms => Commitment::Firm,
        Status::Held => Commitment::Lapsed,
        Status::Committed | Status::Shipped => Commitment::AlreadyFirm,
        Status::Released => Commitment::Gone,
    })
}

/// The hold that a shipment takes units of, and whether it is the last of them; `None` when it has taken them already.
///
/// # Errors
/// [`Illegal`] when no firm hold of the order still has exactly these units of each of the shipment's products.
pub fn ship<'a>(
    holds: &'a [Hold],
    departures: &[Departure],
    dispatched: &ShipmentDispatched,
) -> Result<Option<(&'a Hold, Trigger)>, Illegal> {
    let ShipmentDispatched { order_id, shipment_id, lines, .. } = dispatched;
    if departures.iter().any(|departure| departure.shipment_id == *shipment_id) {
        return Ok(None);
    }
    let mut firm = holds.iter().filter(|hold| hold.status == Status::Committed).peekable();
    let Some(first) = firm.peek() else {
        return Err(Illegal::NoFirmHold(shipment_id.clone(), order_id.clone()));
    };
    let other_lines = Illegal::OtherLines(first.reservation_id.clone());
    let taken = units(lines);
    let leaving = firm.find_map(|hold| {
        let left = left(hold, departures);
        let left = units(&left);
        let fits = taken.iter().all(|(product, wanted)| left.get(product) == Some(wanted));
        fits.then_some((hold, if left.len() == taken.len() { Trigger::ShipRest } else { Trigger::ShipPart }))
    });
    leaving.map(Some).ok_or(other_lines)
}

/// The holds that end when their order is cancelled.
pub fn cancel(holds: &[Hold]) -> impl Iterator<Item = &Hold> {
    holds.iter().filter(|hold| hold.status != Status::Released && ends(hold))
}

fn ends(hold: &Hold) -> bool {
    MACHINE.next(hold.status, Trigger::Cancel) == Ok(Status::Released)
}

/// What a hold still has in the house: its products that no shipment took.
#[must_use]
pub fn left(hold: &Hold, departures: &[Departure]) -> Vec<StockLine> {
    let of_hold = departures.iter().filter(|departure| departure.reservation_id == hold.reservation_id);
    let gone: Vec<&ProductId> = of_hold.flat_map(|departure| &departure.lines).map(|line| &line.product_id).collect();
    hold.lines.iter().filter(|line| !gone.contains(&&line.product_id)).cloned().collect()
}

/// Whether two lists hold the same units, in whatever order and however split into lines.
#[must_use]
pub fn same_units(one: &[StockLine], other: &[StockLine]) -> bool {
    one == other || units(one) == units(other)
}

fn units(lines: &[StockLine]) -> BTreeMap<&ProductId, u64> {
    lines.iter().fold(BTreeMap::new(), |mut sums, line| {
        *sums.entry(&line.product_id).or_default() += u64::from(line.quantity);
        sums
    })
}
