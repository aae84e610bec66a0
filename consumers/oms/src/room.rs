//! How many facts an order has room for. Pure.
//!
//! A return is granted when everything that may follow from what was granted before, and from itself, still fits. So what settles something
//! that was granted is never turned away.

use events::Ledger;

use crate::claims::{refund_of_return, refund_of_shipment};
use crate::decide::SETTLED;
use crate::facts::{Entry, Facts, Kind, MAX_FACTS, Units};

/// Facts of one return besides a `return_received` for each ledger: requested, lapsed, closed, its refund requested, its refund issued.
const OF_RETURN: usize = 5;
/// Facts of one shipment at most: dispatched, lost, its refund requested and issued; of its goods that come back, received, lapsed, closed.
const OF_SHIPMENT: usize = 7;
/// Facts about the order as a whole that may still come: it is completed, and stuck for each step.
const OF_ORDER: usize = 16;

/// Whether one more return, of these units, fits with all that may follow.
pub(crate) fn is_left_for(facts: &Facts, wanted: &[Units]) -> bool {
    let granted: usize = facts.all(Kind::ReturnRequested).map(|requested| open_of_return(facts, requested)).sum();
    let taken = facts.log.len() + granted + open_of_shipments(facts) + OF_ORDER;
    taken + OF_RETURN + ledgers(facts, wanted) <= MAX_FACTS
}

/// Whether a fact settles something that was granted: what was shipped, a return, a refund. Of those there are only as many as were granted,
/// and turned away they would leave somebody unpaid; so they are kept however many facts there are.
pub(crate) fn is_granted(facts: &Facts, entry: &Entry) -> bool {
    let granted = |kind| entry.part.as_deref().is_some_and(|part| facts.about(kind, part).is_some());
    match entry.kind {
        Kind::ShipmentDispatched | Kind::ShipmentDelivered | Kind::ShipmentLost => {
            facts.has(Kind::FulfillmentRequested) && !facts.cover(&SETTLED)
        }
        Kind::ReturnReceived | Kind::ReturnClosed | Kind::ReturnLapsed => granted(Kind::ReturnRequested),
        Kind::RefundIssued => granted(Kind::RefundRequested),
        _ => false,
    }
}

/// Facts that may still follow from a return.
fn open_of_return(facts: &Facts, requested: &Entry) -> usize {
    let part = requested.part.as_deref().unwrap_or_default();
    let known = about(facts, part) + about(facts, refund_of_return(part).as_str());
    (OF_RETURN + ledgers(facts, &requested.units)).saturating_sub(known)
}

/// Facts that may still come about what was shipped. A product of which nothing is known travels alone; what a lost shipment's goods come
/// back as is not known here, so that these are expected always.
fn open_of_shipments(facts: &Facts) -> usize {
    let on_the_way = facts.bought.iter().filter(|line| !facts.covers(&SETTLED, line)).count();
    let of_lost = |lost: &Entry| {
        let part = lost.part.as_deref().unwrap_or_default();
        let known = about(facts, part) + about(facts, refund_of_shipment(part).as_str());
        OF_SHIPMENT.saturating_sub(known)
    };
    on_the_way * OF_SHIPMENT + facts.all(Kind::ShipmentLost).map(of_lost).sum::<usize>()
}

fn about(facts: &Facts, part: &str) -> usize {
    facts.log.iter().filter(|entry| entry.part.as_deref() == Some(part)).count()
}

/// How many ledgers units are of.
fn ledgers(facts: &Facts, units: &[Units]) -> usize {
    let is_of = |ledger: &Ledger| {
        let mut lines = facts.bought.iter().filter(|line| line.ledger == *ledger);
        lines.any(|line| units.iter().any(|units| units.product_id == line.product_id))
    };
    Ledger::ALL.iter().filter(|ledger| is_of(ledger)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::claims::claims;
    use crate::facts::Bought;

    /// An order of freight of so many products, each of which left alone; of these, the first `lost` never arrived.
    fn order(products: usize, lost: usize) -> Facts {
        let mut facts = Facts { paid_minor: 100 * i64::try_from(products).unwrap(), ..Facts::default() };
        for number in 0..products {
            let product_id = format!("P-{number}").parse().unwrap();
            facts.bought.push(Bought { product_id, ledger: Ledger::Furniture, quantity: 1, gross_minor: 100 });
            let end = if number < lost { Kind::ShipmentLost } else { Kind::ShipmentDelivered };
            for kind in [Kind::ShipmentDispatched, end] {
                facts.add(Entry::of_part(kind, &format!("s-{number}"), units(number), 0));
            }
        }
        pay(&mut facts);
        facts
    }

    fn units(number: usize) -> Vec<Units> {
        vec![Units { product_id: format!("P-{number}").parse().unwrap(), quantity: 1, damaged: 0 }]
    }

    fn pay(facts: &mut Facts) {
        for claim in claims(facts) {
            facts.add(claim.entry(0));
            facts.add(Entry::of_part(Kind::RefundIssued, claim.refund_id.as_str(), Vec::new(), 0));
        }
    }

    fn come_back(facts: &mut Facts, part: &str, units: &[Units]) {
        for kind in [Kind::ReturnLapsed, Kind::ReturnReceived, Kind::ReturnClosed] {
            facts.add(Entry::of_part(kind, part, units.to_vec(), 0));
        }
    }

    proptest! {
        // Each case fills an order: few are enough, and more take minutes.
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn every_line_of_the_largest_order_may_travel_alone_and_come_back_alone(lost in 0usize..=100) {
            let mut facts = order(100, lost);
            for number in lost..100 {
                prop_assert!(is_left_for(&facts, &units(number)), "return {number}");
                facts.add(Entry::of_part(Kind::ReturnRequested, &format!("r-{number}"), units(number), 0));
            }
        }

        #[test]
        fn whatever_was_granted_settles_within_the_bound(lost in 0usize..5, late in prop::collection::vec(any::<bool>(), 600)) {
            let mut facts = order(5, lost);
            let mut granted = Vec::new();
            for (number, late) in late.into_iter().enumerate() {
                let wanted = units(4);
                if !is_left_for(&facts, &wanted) {
                    break;
                }
                let part = format!("r-{number}");
                facts.add(Entry::of_part(Kind::ReturnRequested, &part, wanted, 0));
                if late {
                    granted.push(part);
                } else {
                    facts.add(Entry::of_part(Kind::ReturnClosed, &part, Vec::new(), 0));
                }
            }
            prop_assert!(!is_left_for(&facts, &units(4)), "returns end somewhere");
            for part in granted {
                come_back(&mut facts, &part, &units(4));
                pay(&mut facts);
            }
            for number in 0..lost {
                come_back(&mut facts, &format!("of-s-{number}"), &units(number));
            }
            prop_assert!(facts.log.len() + OF_ORDER <= MAX_FACTS, "{} facts", facts.log.len());
        }
    }
}
