//! No order is silent for ever.

use proptest::prelude::*;

use super::*;
use crate::deadlines::Unreviewed;
use crate::decide::{decide, note, status};
use crate::facts::Bought;
use events::risk::RiskLevel;

/// Everything that may become known about an order, in any order.
const KINDS: [Kind; 16] = [
    Kind::OrderConfirmed,
    Kind::OrderRejected,
    Kind::StockCommitted,
    Kind::StockRejected,
    Kind::InvoiceIssued,
    Kind::InvoiceFailed,
    Kind::FraudCleared,
    Kind::FraudFlagged,
    Kind::ShipmentDispatched,
    Kind::ShipmentDelivered,
    Kind::ShipmentFailed,
    Kind::RefundIssued,
    Kind::CancelRequested,
    Kind::ReviewRefused,
    Kind::WarehouseStopped,
    Kind::OrderReleased,
];

fn deadlines() -> Deadlines {
    Deadlines {
        order_ms: 10,
        stock_ms: 20,
        invoice_ms: 30,
        risk_ms: 40,
        review_ms: 50,
        dispatch_ms: 60,
        delivery_ms: 70,
        unreviewed: Unreviewed::Cancel,
    }
}

/// Takes a fact in as the reactions do, and notes what is said about it.
fn hear(facts: &mut Facts, kind: Kind, ledger: Ledger, at_ms: i64, ledgers: &[Ledger], risk: RiskLevel) {
    let per_ledger =
        matches!(kind, Kind::StockCommitted | Kind::StockRejected | Kind::ShipmentDispatched | Kind::ShipmentDelivered);
    if matches!(kind, Kind::OrderReleased | Kind::ReviewRefused) && status(facts) != Status::OnHold {
        return;
    }
    if kind == Kind::OrderConfirmed {
        facts.ledgers = ledgers.to_vec();
        let product = |ledger: Ledger| format!("P-{ledger}").parse().expect("a product's id");
        let line = |&ledger: &Ledger| Bought { product_id: product(ledger), ledger, quantity: 1, gross_minor: 100 };
        facts.bought = ledgers.iter().map(line).collect();
        facts.risk = Some(risk);
    }
    facts.add(Entry { ledger: per_ledger.then_some(ledger), ..Entry::new(kind, at_ms) });
    for decision in decide(facts) {
        note(facts, &decision, at_ms);
    }
}

fn ledgers() -> impl Strategy<Value = Vec<Ledger>> {
    prop_oneof![
        Just(vec![Ledger::Inventory]),
        Just(vec![Ledger::Furniture]),
        Just(vec![Ledger::Inventory, Ledger::Furniture])
    ]
}

fn risk() -> impl Strategy<Value = RiskLevel> {
    prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::Unknown), Just(RiskLevel::High)]
}

prop_compose! {
    /// A set that grew one fact a millisecond.
    fn sets()(
        ledgers in ledgers(),
        risk in risk(),
        heard in prop::collection::vec((0usize..KINDS.len(), any::<bool>()), 1..30),
    ) -> Facts {
        let mut facts = Facts::default();
        for (at_ms, (kind, furniture)) in (0..).zip(heard) {
            let ledger = if furniture { Ledger::Furniture } else { Ledger::Inventory };
            hear(&mut facts, KINDS[kind], ledger, at_ms, &ledgers, risk);
        }
        facts
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn an_order_that_has_not_ended_waits_within_a_deadline_or_is_stuck_with_a_name(mut facts in sets()) {
        // An order begins with a fact: without one there is no row.
        prop_assume!(!facts.log.is_empty());
        let deadlines = deadlines();
        let waits_now = waits(&facts, &deadlines);
        if status(&facts).is_final() {
            prop_assert_eq!(waits_now, []);
            prop_assert_eq!(watch(&facts), Watch::default());
            return Ok(());
        }
        prop_assert!(!waits_now.is_empty(), "{:?} is silent: {:?}", status(&facts), facts.log);
        for wait in &waits_now {
            let speakers = topology::speakers(wait.step.missing());
            prop_assert!(speakers.contains(&wait.step.owed_by()), "nobody owes {}", wait.step);
            prop_assert!(wait.due_ms > wait.since_ms);
        }
        // However late the minute comes, it finds every wait, and nothing is left that no deadline has spoken about.
        for wait in overdue(&facts, &deadlines, i64::MAX) {
            facts.add(wait.step.stuck(1_000));
        }
        let watch = watch(&facts);
        prop_assert_eq!((watch.bits, watch.from_ms, watch.stuck_since_ms), (0, None, Some(1_000)));
        prop_assert_eq!(overdue(&facts, &deadlines, i64::MAX), []);
    }

    #[test]
    fn the_row_finds_an_order_no_later_than_its_first_deadline(facts in sets(), said in prop::collection::vec(any::<bool>(), 8)) {
        let (mut facts, deadlines) = (facts, deadlines());
        for (wait, said) in waits(&facts, &deadlines).into_iter().zip(said) {
            if said {
                facts.add(wait.step.stuck(500));
            }
        }
        let open = waits(&facts, &deadlines).into_iter().filter(|wait| wait.stuck_ms.is_none());
        let Some(first_due_ms) = open.map(|wait| wait.due_ms).min() else {
            prop_assert_eq!(watch(&facts).bits, 0);
            return Ok(());
        };
        let Watch { bits, from_ms, .. } = watch(&facts);
        prop_assert!((1..=ALL_BITS).contains(&bits));
        let found_ms = from_ms.map(|from_ms| from_ms + shortest_ms(bits, &deadlines));
        prop_assert!(found_ms.is_some_and(|found_ms| found_ms <= first_due_ms), "{found_ms:?} > {first_due_ms}");
    }

    #[test]
    fn being_stuck_changes_nothing_about_where_an_order_stands(facts in sets()) {
        let mut stuck = facts.clone();
        for wait in overdue(&facts, &deadlines(), i64::MAX) {
            stuck.add(wait.step.stuck(1_000));
        }
        prop_assert_eq!(status(&stuck), status(&facts));
        prop_assert_eq!(decide(&stuck), decide(&facts));
        prop_assert_eq!(missing(&stuck), missing(&facts));
    }
}

#[test]
fn every_line_names_events_of_the_table_and_has_a_name_of_its_own() {
    let mut names: Vec<&str> = TABLE.iter().map(|line| line.name).collect();
    for line in &TABLE {
        assert!(!topology::speakers(line.missing).is_empty(), "nobody says {}", line.missing);
        assert!(!topology::speakers(line.follows).is_empty(), "nobody says {}", line.follows);
        assert!(!line.during.iter().any(|status| status.is_final()), "{}", line.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
}

#[test]
fn the_ledger_that_keeps_the_units_owes_the_word_about_them() {
    let mut facts = Facts::default();
    hear(&mut facts, Kind::OrderConfirmed, Ledger::Inventory, 7, &Ledger::ALL, RiskLevel::Low);
    let owed: Vec<(String, &str, i64)> = waits(&facts, &deadlines())
        .iter()
        .map(|wait| (wait.step.to_string(), wait.step.owed_by(), wait.due_ms))
        .collect();
    let expected =
        [("stock:inventory", "inventory", 27), ("stock:furniture", "furniture", 27), ("invoice", "accounting", 37)];
    assert_eq!(owed, expected.map(|(step, owed_by, due_ms)| (step.to_owned(), owed_by, due_ms)));
}
