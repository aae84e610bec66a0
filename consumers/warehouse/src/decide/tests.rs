//! The rules on their own.

use events::Money;
use proptest::prelude::*;

use super::*;

fn line(product_id: &str, quantity: u32, ledger: Ledger) -> OrderLine {
    OrderLine { product_id: product_id.parse().unwrap(), quantity, unit_price: Money::from_minor(100), ledger }
}

fn locations(products: &[(&str, &str)]) -> Locations {
    products.iter().map(|(id, place)| (id.parse().unwrap(), (*place).to_owned())).collect()
}

fn planned(lines: &[OrderLine], locations: &Locations) -> Result<Vec<Shipment>, UnknownLocation> {
    plan(&"order-1".parse().unwrap(), lines, locations, &Story::default(), 7)
}

#[test]
fn a_shipment_is_picked_at_every_place_once() {
    let lines = [
        line("A", 1, Ledger::Inventory),
        line("B", 2, Ledger::Inventory),
        line("C", 3, Ledger::Inventory),
        line("FURN-1", 1, Ledger::Furniture),
    ];
    let places = locations(&[("A", "Aisle 1"), ("B", "Aisle 2"), ("C", "Aisle 1"), ("FURN-1", "Hall 9")]);
    let shipments = planned(&lines, &places).unwrap();
    let seen: Vec<_> = shipments.iter().map(|one| (one.ledger, one.location.as_str(), one.lines.len())).collect();
    assert_eq!(seen, [(Ledger::Inventory, "Aisle 1, Aisle 2", 3), (Ledger::Furniture, "Hall 9", 1)]);
}

#[test]
fn one_product_nobody_can_find_stops_the_whole_order() {
    let lines = [line("A", 1, Ledger::Inventory), line("B", 1, Ledger::Inventory)];
    let lost = planned(&lines, &locations(&[("A", "Aisle 1")]));
    assert_eq!(lost, Err(UnknownLocation(vec!["B".parse().unwrap()])));
}

proptest! {
    #[test]
    fn every_unit_is_in_exactly_one_shipment_of_its_ledger(
        quantities in prop::collection::vec((1u32..100, any::<bool>()), 1..20),
    ) {
        let ledger = |furniture| if furniture { Ledger::Furniture } else { Ledger::Inventory };
        let lines: Vec<_> = quantities
            .iter()
            .enumerate()
            .map(|(index, &(quantity, furniture))| line(&format!("P-{index}"), quantity, ledger(furniture)))
            .collect();
        let places = lines.iter().map(|line| (line.product_id.clone(), "Aisle 1".to_owned())).collect();
        let shipments = planned(&lines, &places).unwrap();
        for one in &shipments {
            let belongs = |line: &&OrderLine| {
                line.ledger == one.ledger && one.part.as_ref().is_none_or(|part| *part == line.product_id)
            };
            let wanted: Vec<_> = lines.iter().filter(belongs).map(OrderLine::stock).collect();
            prop_assert_eq!(&one.lines, &wanted);
            prop_assert_eq!(one.part.is_some(), one.ledger == Ledger::Furniture);
        }
        prop_assert_eq!(shipments.iter().map(|one| one.lines.len()).sum::<usize>(), lines.len());
        let ids: std::collections::BTreeSet<_> = shipments.iter().map(|one| &one.shipment_id).collect();
        prop_assert_eq!(ids.len(), shipments.len());
    }

    #[test]
    fn a_shipment_is_dispatched_once_then_delivered_once_never_early(
        dispatch_ms in 0i64..1_000,
        deliver_ms in 0i64..1_000,
        steps in prop::collection::vec(0i64..500, 0..20),
    ) {
        let delays = Delays { dispatch_ms, deliver_ms, ..Delays::NONE };
        let lines = [line("A", 1, Ledger::Inventory)];
        let mut shipment = planned(&lines, &locations(&[("A", "Aisle 1")])).unwrap().remove(0);
        let mut said: Vec<_> = begin(&mut shipment, delays).iter().map(Event::event_type).collect();
        let mut now_ms = shipment.created_at_ms;
        for step in steps.into_iter().chain([2_000, 2_000]) {
            now_ms += step;
            said.extend(advance(&mut shipment, delays, now_ms).iter().map(Event::event_type));
        }
        let names: Vec<_> = said.iter().map(|name| name.rsplit('.').nth(1).unwrap()).collect();
        prop_assert_eq!(names, ["shipment_created", "shipment_dispatched", "shipment_delivered"]);
        let (dispatched_at, delivered_at) = (shipment.dispatched_at_ms.unwrap(), shipment.delivered_at_ms.unwrap());
        prop_assert!(dispatched_at >= shipment.created_at_ms + dispatch_ms);
        prop_assert!(delivered_at >= dispatched_at + deliver_ms);
        prop_assert_eq!((shipment.status, shipment.due_at_ms), (Status::Delivered, None));
    }
}

#[test]
fn a_cancelled_shipment_never_moves() {
    let lines = [line("A", 1, Ledger::Inventory)];
    let mut shipment = planned(&lines, &locations(&[("A", "Aisle 1")])).unwrap().remove(0);
    shipment.status = Status::Cancelled;
    shipment.due_at_ms = Some(0);
    assert_eq!(advance(&mut shipment, Delays::NONE, i64::MAX), []);
}
