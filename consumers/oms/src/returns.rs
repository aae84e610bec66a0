//! Returns: what may be sent back, where each return stands, and whether everything came back. Pure.

use std::collections::BTreeMap;

use events::states::returns::{MACHINE, Trigger};
use events::{OrderLine, ProductId};

use crate::claims::refund_of_return;
use crate::facts::{Bought, Entry, Facts, Kind, Units};

/// Where a return stands.
pub(crate) use events::states::returns::State;

/// Why goods are not taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The order has no such product.
    #[error("{0} is not in the order")]
    NotBought(ProductId),
    /// Not as many were delivered.
    #[error("{delivered} units of {product_id} were delivered, not {wanted}")]
    NotDelivered {
        /// Which product.
        product_id: ProductId,
        /// Units that arrived.
        delivered: u32,
        /// Units to be sent back.
        wanted: u32,
    },
    /// They are on their way back, or are back already.
    #[error("{left} units of {product_id} are left to be returned, not {wanted}")]
    Returned {
        /// Which product.
        product_id: ProductId,
        /// Units nobody returned yet.
        left: u32,
        /// Units to be sent back.
        wanted: u32,
    },
    /// They were delivered too long ago.
    #[error("the time to return {0} is over")]
    TooLate(ProductId),
}

impl Refusal {
    /// Stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Refusal::NotBought(_) => "not_in_order",
            Refusal::NotDelivered { .. } => "not_delivered",
            Refusal::Returned { .. } => "already_returned",
            Refusal::TooLate(_) => "return_window_over",
        }
    }
}

/// Whether these units may be sent back now, each product named once.
///
/// # Errors
/// [`Refusal`] for the first product that may not.
pub(crate) fn check(facts: &Facts, wanted: &[Units], now_ms: i64, window_ms: i64) -> Result<(), Refusal> {
    for Units { product_id, quantity: wanted, .. } in wanted {
        let (wanted, product) = (*wanted, || product_id.clone());
        let line = facts.bought.iter().find(|line| line.product_id == *product_id);
        let line = line.ok_or_else(|| Refusal::NotBought(product()))?;
        let delivered = facts.units_of(&[Kind::ShipmentDelivered], line).min(line.quantity);
        if delivered < wanted {
            return Err(Refusal::NotDelivered { product_id: product(), delivered, wanted });
        }
        let left = delivered.saturating_sub(on_the_way(facts, line));
        if left < wanted {
            return Err(Refusal::Returned { product_id: product(), left, wanted });
        }
        let last_ms =
            facts.all(Kind::ShipmentDelivered).filter(|entry| is_about(entry, line)).map(|entry| entry.at_ms).max();
        if last_ms.is_none_or(|last_ms| last_ms.saturating_add(window_ms) < now_ms) {
            return Err(Refusal::TooLate(product()));
        }
    }
    Ok(())
}

fn is_about(entry: &Entry, line: &Bought) -> bool {
    let whole_ledger = entry.units.is_empty() && entry.ledger == Some(line.ledger);
    whole_ledger || entry.units.iter().any(|units| units.product_id == line.product_id)
}

/// Units that are on their way back or came back. What an inspection missed, the customer still has.
fn on_the_way(facts: &Facts, line: &Bought) -> u32 {
    let units = facts.all(Kind::ReturnRequested).filter_map(|requested| {
        let part = requested.part.as_deref()?;
        // What came counts as it came, also when it came late; what lapsed and did not come is with the customer.
        let closed = facts.about(Kind::ReturnClosed, part);
        if closed.is_none() && facts.about(Kind::ReturnLapsed, part).is_some() {
            return None;
        }
        Some(units_in(closed.unwrap_or(requested), line))
    });
    units.sum()
}

/// Units that came back with returns asked for here.
fn came_back(facts: &Facts, line: &Bought) -> u32 {
    let closed = facts.all(Kind::ReturnClosed);
    let ours = closed
        .filter(|entry| entry.part.as_deref().is_some_and(|part| facts.about(Kind::ReturnRequested, part).is_some()));
    ours.map(|entry| units_in(entry, line)).sum()
}

fn units_in(entry: &Entry, line: &Bought) -> u32 {
    let of_product = entry.units.iter().filter(|units| units.product_id == line.product_id);
    of_product.map(|units| units.quantity.saturating_add(units.damaged)).sum()
}

/// Whether every unit that was delivered came back.
pub(crate) fn all_came_back(facts: &Facts) -> bool {
    facts.has(Kind::ShipmentDelivered)
        && facts.has(Kind::ReturnClosed)
        && facts.bought.iter().all(|line| {
            let delivered = facts.units_of(&[Kind::ShipmentDelivered], line).min(line.quantity);
            came_back(facts, line) >= delivered
        })
}

/// Where the return of a request stands.
pub(crate) fn state(facts: &Facts, requested: &Entry) -> State {
    let part = requested.part.as_deref().unwrap_or_default();
    let refund_id = refund_of_return(part);
    let refund = |kind| facts.about(kind, refund_id.as_str()).is_some();
    let triggers: &[Trigger] = if facts.about(Kind::ReturnClosed, part).is_none() {
        if facts.about(Kind::ReturnLapsed, part).is_some() { &[Trigger::Lapse] } else { &[] }
    } else if refund(Kind::RefundIssued) {
        &[Trigger::Receive, Trigger::Refund]
    } else if refund(Kind::RefundRequested) {
        &[Trigger::Receive]
    } else {
        &[Trigger::Receive, Trigger::Decline]
    };
    triggers.iter().fold(MACHINE.initial, |state, trigger| {
        MACHINE.next(state, *trigger).expect("the triggers above follow each other in the table")
    })
}

/// The lines of the order that make up these units, at the prices they were sold for.
pub(crate) fn pick(lines: &[OrderLine], wanted: &[Units]) -> Vec<OrderLine> {
    let mut open: BTreeMap<&ProductId, u32> = wanted.iter().map(|units| (&units.product_id, units.quantity)).collect();
    let mut picked = Vec::with_capacity(wanted.len());
    for line in lines {
        let Some(left) = open.get_mut(&line.product_id).filter(|left| **left > 0) else { continue };
        let quantity = line.quantity.min(*left);
        *left -= quantity;
        picked.push(OrderLine { quantity, ..line.clone() });
    }
    picked
}
