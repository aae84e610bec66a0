//! What is to be given back, and how much. Pure.
//!
//! A refund is the share of what was paid that its units have by catalogue price. Shares are taken of everything given back so far, so
//! that they add up to the cent: when everything is back, everything was paid back.

use std::collections::BTreeMap;

use events::id::derived;
use events::{ProductId, RefundId, ShipmentId};

use crate::facts::{Bought, Entry, Facts, Kind, Units};

/// The whole price of a unit, in percent.
const WHOLE_PERCENT: u32 = 100;

/// Money that is owed to the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Derived from what it is for, so that it is asked for once.
    pub refund_id: RefundId,
    /// The shipment that never arrived; none for a return.
    pub shipment_id: Option<ShipmentId>,
    /// What it is for.
    pub units: Vec<Units>,
    /// What a unit the customer damaged counts, in percent.
    pub damaged_percent: u32,
    /// In hundredths, 1 or more.
    pub amount_minor: i64,
}

impl Claim {
    /// Why, in one sentence without personal data.
    pub(crate) fn reason(&self) -> &'static str {
        match self.shipment_id {
            Some(_) => "a shipment could not be delivered",
            None => "goods were returned",
        }
    }

    /// The fact that it was asked for.
    pub(crate) fn entry(&self, now_ms: i64) -> Entry {
        Entry {
            damaged_percent: Some(self.damaged_percent),
            amount_minor: Some(self.amount_minor),
            ..Entry::of_part(Kind::RefundRequested, self.refund_id.as_str(), self.units.clone(), now_ms)
        }
    }
}

/// The refund of a return.
pub(crate) fn refund_of_return(return_id: &str) -> RefundId {
    RefundId::from_uuid(derived("refund-of-return", return_id))
}

/// The refund of a shipment that never arrived.
pub(crate) fn refund_of_shipment(shipment_id: &str) -> RefundId {
    RefundId::from_uuid(derived("refund-of-shipment", shipment_id))
}

/// Every claim that was not asked for yet. Nothing is owed for an order that is not known, or was taken back as a whole.
pub(crate) fn claims(facts: &Facts) -> Vec<Claim> {
    let mut given: Vec<(Vec<Units>, u32)> = facts
        .all(Kind::RefundRequested)
        .map(|entry| (entry.units.clone(), entry.damaged_percent.unwrap_or_default()))
        .collect();
    let mut given_minor: i64 = facts.all(Kind::RefundRequested).filter_map(|entry| entry.amount_minor).sum();
    let mut claims = Vec::new();
    for mut claim in lost(facts).chain(returned(facts)) {
        if facts.about(Kind::RefundRequested, claim.refund_id.as_str()).is_some() {
            continue;
        }
        given.push((claim.units.clone(), claim.damaged_percent));
        claim.amount_minor = share_minor(facts, &given) - given_minor;
        if claim.amount_minor <= 0 {
            // Worth less than a hundredth: what it is worth counts in the claims after it.
            continue;
        }
        given_minor += claim.amount_minor;
        claims.push(claim);
    }
    claims
}

/// Shipments that could not be delivered.
fn lost(facts: &Facts) -> impl Iterator<Item = Claim> {
    facts.all(Kind::ShipmentLost).filter_map(|entry| {
        let part = entry.part.as_deref()?;
        let arrived = facts.about(Kind::ShipmentDelivered, part).is_some();
        let shipment_id: ShipmentId = part.parse().ok()?;
        (!arrived).then(|| Claim {
            refund_id: refund_of_shipment(part),
            shipment_id: Some(shipment_id),
            units: entry.units.clone(),
            damaged_percent: WHOLE_PERCENT,
            amount_minor: 0,
        })
    })
}

/// Returns that were asked for here and inspected, as they ended. Goods of a return that lapsed may come after they were asked for anew:
/// whatever the inspections counted, no more units are paid for than were delivered.
fn returned(facts: &Facts) -> impl Iterator<Item = Claim> {
    let delivered = |line: &Bought| facts.units_of(&[Kind::ShipmentDelivered], line).min(line.quantity);
    let mut payable: BTreeMap<&ProductId, u32> =
        facts.bought.iter().map(|line| (&line.product_id, delivered(line))).collect();
    facts.all(Kind::ReturnClosed).filter_map(move |closed| {
        let part = closed.part.as_deref()?;
        let requested = facts.about(Kind::ReturnRequested, part)?;
        Some(Claim {
            refund_id: refund_of_return(part),
            shipment_id: None,
            units: closed.units.iter().map(|units| take(&mut payable, units)).collect(),
            damaged_percent: requested.damaged_percent.unwrap_or_default(),
            amount_minor: 0,
        })
    })
}

/// As many of these units as are left to be paid for, the undamaged first.
fn take(payable: &mut BTreeMap<&ProductId, u32>, units: &Units) -> Units {
    let mut nothing = 0;
    let left = payable.get_mut(&units.product_id).unwrap_or(&mut nothing);
    let quantity = units.quantity.min(*left);
    let damaged = units.damaged.min(*left - quantity);
    *left -= quantity + damaged;
    Units { product_id: units.product_id.clone(), quantity, damaged }
}

/// The share of what was paid that units have, in hundredths, rounded down; all of it for all units.
fn share_minor(facts: &Facts, given: &[(Vec<Units>, u32)]) -> i64 {
    let whole: i128 = facts.bought.iter().map(|line| i128::from(line.gross_minor)).sum::<i128>();
    let mut weight: i128 = 0;
    for line in &facts.bought {
        let mut percents: u64 = 0;
        for (units, damaged_percent) in given {
            for units in units.iter().filter(|units| units.product_id == line.product_id) {
                percents += u64::from(units.quantity) * u64::from(WHOLE_PERCENT);
                percents += u64::from(units.damaged) * u64::from(*damaged_percent);
            }
        }
        let most = u64::from(line.quantity) * u64::from(WHOLE_PERCENT);
        weight += i128::from(line.gross_minor) * i128::from(percents.min(most)) / i128::from(line.quantity.max(1));
    }
    let share = (i128::from(facts.paid_minor) * weight).checked_div(whole * i128::from(WHOLE_PERCENT));
    i64::try_from(share.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
