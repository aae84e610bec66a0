//! The rules over every order of arrival.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What the world will say about one order, whatever OMS does.
#[derive(Debug, Clone)]
struct World {
    ledgers: Vec<Ledger>,
    risk: RiskLevel,
    /// The bridge's answer, where checkout got none: clear or flagged.
    bridge_clears: bool,
    /// A reviewer's answer, should the order be put on hold.
    reviewer_releases: bool,
    stock_refused: Option<Ledger>,
    invoice_issued: bool,
    warehouse_ships: bool,
}

fn worlds() -> impl Strategy<Value = World> {
    let ledgers = prop_oneof![
        Just(vec![Ledger::Inventory]),
        Just(vec![Ledger::Furniture]),
        Just(vec![Ledger::Inventory, Ledger::Furniture])
    ];
    let risk = prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::Medium), Just(RiskLevel::Unknown)];
    let refused = prop_oneof![3 => Just(None), 1 => (0usize..2).prop_map(Some)];
    let yes = prop::bool::weighted(0.75);
    (ledgers, risk, yes, any::<bool>(), refused, yes, yes).prop_map(
        |(ledgers, risk, bridge_clears, reviewer_releases, refused, invoice_issued, warehouse_ships)| World {
            stock_refused: refused.map(|index| ledgers[index % ledgers.len()]),
            ledgers,
            risk,
            bridge_clears,
            reviewer_releases,
            invoice_issued,
            warehouse_ships,
        },
    )
}

impl World {
    /// Everything that is said before OMS asks for anything.
    fn opening(&self) -> Vec<Entry> {
        let mut facts = vec![Entry::new(Kind::OrderConfirmed, 0)];
        for &ledger in &self.ledgers {
            let refused = self.stock_refused == Some(ledger);
            facts.push(of(if refused { Kind::StockRejected } else { Kind::StockCommitted }, ledger));
        }
        facts.push(Entry::new(if self.invoice_issued { Kind::InvoiceIssued } else { Kind::InvoiceFailed }, 0));
        if self.risk == RiskLevel::Unknown {
            facts.push(Entry::new(if self.bridge_clears { Kind::FraudCleared } else { Kind::FraudFlagged }, 0));
        }
        facts
    }

    /// What follows from OMS's words.
    fn reaction_to(&self, decision: Decision) -> Vec<Entry> {
        match decision {
            Decision::Fulfil if self.warehouse_ships => self
                .ledgers
                .iter()
                .flat_map(|&ledger| [of(Kind::ShipmentDelivered, ledger), of(Kind::ShipmentDispatched, ledger)])
                .collect(),
            Decision::Fulfil => vec![Entry::new(Kind::ShipmentFailed, 0)],
            Decision::Hold if self.reviewer_releases => vec![Entry::new(Kind::OrderReleased, 0)],
            Decision::Hold => vec![Entry::new(Kind::ReviewRefused, 0)],
            Decision::Cancel(_) | Decision::Complete => Vec::new(),
        }
    }
}

fn of(kind: Kind, ledger: Ledger) -> Entry {
    Entry { ledger: Some(ledger), ..Entry::new(kind, 0) }
}

fn is_a_persons_word(kind: Kind) -> bool {
    matches!(kind, Kind::OrderReleased | Kind::ReviewRefused)
}

/// Adds a fact as the reactions and doors do; what follows is noted and answered.
fn hear(facts: &mut Facts, world: &World, entry: Entry) -> Vec<Decision> {
    if is_a_persons_word(entry.kind) && status(facts) != Status::OnHold {
        return Vec::new();
    }
    if entry.kind == Kind::OrderConfirmed {
        facts.ledgers.clone_from(&world.ledgers);
        facts.risk = Some(world.risk);
    }
    if !facts.add(entry) {
        return Vec::new();
    }
    let decisions = decide(facts);
    for &decision in &decisions {
        note(facts, decision, 0);
    }
    decisions
}

/// Delivers what is under way in the order that `picks` says, some of it more than once, until nothing is left.
fn run(world: &World, picks: &[(usize, bool)]) -> (Facts, Vec<Decision>) {
    let (mut facts, mut said) = (Facts::default(), Vec::new());
    let mut under_way = world.opening();
    let mut picks = picks.iter().copied().chain(std::iter::repeat((0, false)));
    while !under_way.is_empty() {
        let (pick, again) = picks.next().expect("picks never end");
        let index = pick % under_way.len();
        let entry = if again { under_way[index].clone() } else { under_way.remove(index) };
        let decisions = hear(&mut facts, world, entry);
        under_way.extend(decisions.iter().flat_map(|&decision| world.reaction_to(decision)));
        said.extend(decisions);
    }
    (facts, said)
}

/// The names of what was said. A hold is left out of a cancelled order's: whether the flag or the end came first is chance.
fn names(facts: &Facts, said: &[Decision]) -> BTreeSet<&'static str> {
    let cancelled = status(facts) == Status::Cancelled;
    said.iter()
        .filter_map(|decision| match decision {
            Decision::Fulfil => Some("fulfil"),
            Decision::Cancel(_) => Some("cancel"),
            Decision::Hold if cancelled => None,
            Decision::Hold => Some("hold"),
            Decision::Complete => Some("complete"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_order_of_arrival_ends_the_same(
        world in worlds(),
        picks in prop::collection::vec((any::<usize>(), prop::bool::weighted(0.3)), 0..40),
    ) {
        let (expected, expected_said) = run(&world, &[]);
        let (facts, said) = run(&world, &picks);
        prop_assert_eq!(status(&facts), status(&expected));
        prop_assert_eq!(names(&facts, &said), names(&expected, &expected_said));
        prop_assert!(status(&facts).is_final(), "{:?} waits for {:?}", status(&facts), waiting_for(&facts));
        prop_assert_eq!(waiting_for(&facts), Vec::<String>::new());
    }

    #[test]
    fn whatever_comes_each_thing_is_said_once_nothing_after_the_end_and_no_shipping_before_clear(
        world in worlds(),
        kinds in prop::collection::vec((0usize..KINDS.len(), any::<bool>()), 0..60),
    ) {
        let (mut facts, mut said) = (Facts::default(), Vec::new());
        for (kind, furniture) in kinds {
            let ledger = if furniture { Ledger::Furniture } else { Ledger::Inventory };
            let ended = status(&facts).is_final();
            let decisions = hear(&mut facts, &world, of(KINDS[kind], ledger));
            prop_assert!(!ended || decisions.is_empty(), "{decisions:?} after the end");
            if decisions.contains(&Decision::Fulfil) {
                prop_assert!(!facts.has(Kind::OrderCancelled));
                prop_assert!(world.ledgers.iter().all(|&ledger| facts.has_for(Kind::StockCommitted, ledger)));
                prop_assert!(facts.has(Kind::InvoiceIssued));
                let clear = world.risk != RiskLevel::Unknown || facts.has(Kind::FraudCleared);
                prop_assert!((clear && !facts.has(Kind::FraudFlagged)) || facts.has(Kind::OrderReleased));
            }
            said.extend(decisions);
        }
        for (index, decision) in said.iter().enumerate() {
            let again = said[index + 1..].iter().any(|other| std::mem::discriminant(other) == std::mem::discriminant(decision));
            prop_assert!(!again, "{decision:?} twice in {said:?}");
        }
    }

    #[test]
    fn the_set_survives_its_row(world in worlds(), picks in prop::collection::vec((any::<usize>(), any::<bool>()), 0..20)) {
        let (facts, _) = run(&world, &picks);
        let text = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    }
}

/// Everything that can come from outside.
const KINDS: [Kind; 16] = [
    Kind::OrderConfirmed,
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
    Kind::ReturnReceived,
    Kind::CancelRequested,
    Kind::ReviewRefused,
    Kind::WarehouseStopped,
    Kind::OrderReleased,
];

fn known(ledgers: &[Ledger], risk: RiskLevel, entries: &[Entry]) -> Facts {
    Facts { ledgers: ledgers.to_vec(), risk: Some(risk), reason: None, log: entries.to_vec() }
}

#[test]
fn an_order_waits_for_every_ledger_it_is_taken_from() {
    let entries = [
        Entry::new(Kind::OrderConfirmed, 0),
        Entry::new(Kind::InvoiceIssued, 0),
        of(Kind::StockCommitted, Ledger::Inventory),
    ];
    let facts = known(&Ledger::ALL, RiskLevel::Low, &entries);
    assert_eq!(decide(&facts), []);
    assert_eq!(waiting_for(&facts), ["stock:furniture"]);
}

#[test]
fn an_unknown_risk_is_what_the_order_waits_for() {
    let entries = [
        Entry::new(Kind::OrderConfirmed, 0),
        Entry::new(Kind::InvoiceIssued, 0),
        of(Kind::StockCommitted, Ledger::Inventory),
    ];
    let facts = known(&[Ledger::Inventory], RiskLevel::Unknown, &entries);
    assert_eq!((status(&facts), decide(&facts)), (Status::Confirmed, vec![]));
    assert_eq!(waiting_for(&facts), ["risk"]);
}

#[test]
fn a_high_risk_that_slipped_through_checkout_waits_for_a_person() {
    let facts = known(&[Ledger::Inventory], RiskLevel::High, &[Entry::new(Kind::OrderConfirmed, 0)]);
    assert_eq!(decide(&facts), [Decision::Hold]);
}

#[test]
fn a_stop_the_customer_asked_for_is_the_customers_cancellation() {
    let asked = [Entry::new(Kind::FulfillmentRequested, 0), Entry::new(Kind::CancelRequested, 0)];
    let mut facts = known(&[Ledger::Inventory], RiskLevel::Low, &asked);
    assert_eq!(decide(&facts), [], "the warehouse has the last word");
    facts.add(Entry::new(Kind::ShipmentFailed, 0));
    assert_eq!(decide(&facts), [Decision::Cancel(CancellationReason::ByCustomer)]);
}

#[test]
fn what_left_the_house_is_not_cancelled() {
    let entries = [
        Entry::new(Kind::FulfillmentRequested, 0),
        of(Kind::ShipmentDispatched, Ledger::Inventory),
        Entry::new(Kind::ShipmentFailed, 0),
        Entry::new(Kind::InvoiceFailed, 0),
    ];
    assert_eq!(decide(&known(&Ledger::ALL, RiskLevel::Low, &entries)), []);
}

#[test]
fn shipped_means_every_ledger() {
    let entries = [Entry::new(Kind::FulfillmentRequested, 0), of(Kind::ShipmentDispatched, Ledger::Inventory)];
    let mut facts = known(&Ledger::ALL, RiskLevel::Low, &entries);
    assert_eq!(status(&facts), Status::Fulfilling);
    assert_eq!(waiting_for(&facts), ["dispatch:furniture", "delivery:inventory", "delivery:furniture"]);
    facts.add(of(Kind::ShipmentDispatched, Ledger::Furniture));
    assert_eq!(status(&facts), Status::Shipped);
}
