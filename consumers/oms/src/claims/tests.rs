//! Shares to the cent.

use events::Ledger;
use proptest::prelude::*;

use super::*;
use crate::facts::Bought;

fn units(product: usize, quantity: u32, damaged: u32) -> Units {
    Units { product_id: format!("P-{product}").parse().unwrap(), quantity, damaged }
}

fn order(lines: &[(u32, i64)], paid_minor: i64) -> Facts {
    let line = |(index, (quantity, gross_minor)): (usize, &(u32, i64))| Bought {
        product_id: format!("P-{index}").parse().unwrap(),
        ledger: Ledger::Inventory,
        quantity: *quantity,
        gross_minor: *gross_minor,
    };
    let mut facts = Facts { bought: lines.iter().enumerate().map(line).collect(), paid_minor, ..Facts::default() };
    let all = Entry { ledger: Some(Ledger::Inventory), ..Entry::new(Kind::ShipmentDelivered, 0) };
    facts.add(all);
    facts
}

/// A return that was asked for and inspected.
fn send_back(facts: &mut Facts, name: &str, units: Vec<Units>, damaged_percent: u32) {
    let asked = Entry {
        damaged_percent: Some(damaged_percent),
        ..Entry::of_part(Kind::ReturnRequested, name, units.clone(), 0)
    };
    facts.add(asked);
    facts.add(Entry::of_part(Kind::ReturnClosed, name, units, 0));
}

/// Asks for what is owed now, and answers it.
fn settle(facts: &mut Facts) -> Vec<i64> {
    let claims = claims(facts);
    for claim in &claims {
        facts.add(claim.entry(0));
    }
    claims.into_iter().map(|claim| claim.amount_minor).collect()
}

#[test]
fn the_last_return_takes_the_remainder() {
    // Three units of 1.00 for 2.99: 99.67 each.
    let mut facts = order(&[(3, 300)], 299);
    for (name, amount_minor) in [("r-1", 99), ("r-2", 100), ("r-3", 100)] {
        send_back(&mut facts, name, vec![units(0, 1, 0)], 0);
        assert_eq!(settle(&mut facts), [amount_minor]);
        assert_eq!(settle(&mut facts), [] as [i64; 0], "once");
    }
}

#[test]
fn damaged_units_are_paid_by_the_terms_they_were_sent_back_with() {
    for (percent, amounts) in [(0, vec![]), (50, vec![50]), (100, vec![100])] {
        let mut facts = order(&[(3, 300)], 300);
        send_back(&mut facts, "r-1", vec![units(0, 0, 1)], percent);
        assert_eq!(settle(&mut facts), amounts);
    }
}

#[test]
fn goods_nobody_asked_to_send_back_are_owed_nothing() {
    let mut facts = order(&[(1, 100)], 100);
    facts.add(Entry::of_part(Kind::ReturnClosed, "of-a-lost-shipment", vec![units(0, 1, 0)], 0));
    assert_eq!(claims(&facts), []);
}

#[test]
fn no_more_units_are_paid_for_than_were_delivered() {
    let mut facts = order(&[(4, 400)], 400);
    facts.log.clear();
    facts.add(Entry::of_part(Kind::ShipmentDelivered, "s-1", vec![units(0, 3, 0)], 0));
    // The first one lapsed, its units were asked for anew, and inspections counted all of both.
    send_back(&mut facts, "r-2", vec![units(0, 2, 0)], 0);
    assert_eq!(settle(&mut facts), [200]);
    send_back(&mut facts, "r-1", vec![units(0, 2, 1)], 100);
    assert_eq!(settle(&mut facts), [100]);
    send_back(&mut facts, "r-3", vec![units(0, 1, 0)], 0);
    assert_eq!(settle(&mut facts), [] as [i64; 0]);
}

proptest! {
    #[test]
    fn however_an_order_comes_back_it_is_paid_back_to_the_cent_and_never_more(
        lines in prop::collection::vec((1u32..5, 0i64..1_000_000), 1..6),
        percent in 0i64..=100,
        order_of_units in prop::collection::vec(any::<prop::sample::Index>(), 25),
    ) {
        let gross: i64 = lines.iter().map(|(_, gross)| gross).sum();
        let paid_minor = gross * percent / 100;
        let mut facts = order(&lines, paid_minor);
        let each = |(product, (quantity, _)): (usize, &(u32, i64))| vec![product; *quantity as usize];
        let mut left: Vec<usize> = lines.iter().enumerate().flat_map(each).collect();
        let mut given = 0;
        for (number, index) in order_of_units.into_iter().enumerate() {
            if left.is_empty() {
                break;
            }
            let product = left.swap_remove(index.index(left.len()));
            send_back(&mut facts, &format!("r-{number}"), vec![units(product, 1, 0)], 0);
            for amount_minor in settle(&mut facts) {
                prop_assert!(amount_minor > 0);
                given += amount_minor;
            }
            prop_assert!(given <= paid_minor);
        }
        let nothing_to_pay = gross == 0;
        prop_assert!(nothing_to_pay || !left.is_empty() || given == paid_minor, "{given} of {paid_minor}");
    }
}
