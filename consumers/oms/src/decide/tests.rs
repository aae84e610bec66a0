//! The rules over every order of arrival.

use std::collections::BTreeSet;

use events::states::order::MACHINE;
use proptest::prelude::*;

use super::*;
use crate::facts::{Bought, Units};

/// A shipment and how it ends.
#[derive(Debug, Clone)]
struct Parcel {
    name: String,
    ledger: Ledger,
    units: Vec<Units>,
    arrives: bool,
}

/// What the world will say about one order, whatever OMS does.
#[derive(Debug, Clone)]
struct World {
    bought: Vec<Bought>,
    paid_minor: i64,
    parcels: Vec<Parcel>,
    risk: RiskLevel,
    /// The bridge's answer, where checkout got none: clear or flagged.
    bridge_clears: bool,
    /// A reviewer's answer, should the order be put on hold.
    reviewer_releases: bool,
    stock_refused: Option<Ledger>,
    invoice_issued: bool,
    warehouse_ships: bool,
    /// Whether the customer sends back all that arrived.
    sends_back: bool,
}

fn units(product: &str, quantity: u32) -> Units {
    Units { product_id: product.parse().unwrap(), quantity, damaged: 0 }
}

fn product(name: &str, ledger: Ledger, quantity: u32, gross_minor: i64) -> Bought {
    Bought { product_id: name.parse().unwrap(), ledger, quantity, gross_minor }
}

/// Inventory goes together, freight one product at a time.
fn parcels(bought: &[Bought], arrives: &[bool]) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for line in bought {
        let units = units(line.product_id.as_str(), line.quantity);
        match parcels.iter_mut().find(|parcel| parcel.ledger == Ledger::Inventory && line.ledger == Ledger::Inventory) {
            Some(parcel) => parcel.units.push(units),
            None => {
                let name = format!("parcel-{}", parcels.len());
                let arrives = arrives[parcels.len() % arrives.len()];
                parcels.push(Parcel { name, ledger: line.ledger, units: vec![units], arrives });
            }
        }
    }
    parcels
}

fn worlds() -> impl Strategy<Value = World> {
    let line = (any::<bool>(), 1u32..4, 100i64..10_000);
    let risk = prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::Medium), Just(RiskLevel::Unknown)];
    let refused = prop_oneof![3 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    let yes = || prop::bool::weighted(0.75);
    let goods = (prop::collection::vec(line, 1..5), 50i64..=100, prop::collection::vec(yes(), 5));
    (goods, risk, yes(), any::<bool>(), refused, yes(), yes(), any::<bool>()).prop_map(
        |((lines, percent, arrives), risk, bridge_clears, reviewer_releases, refused, invoice_issued, ships, back)| {
            let line = |(index, (freight, quantity, price)): (usize, (bool, u32, i64))| {
                let ledger = if freight { Ledger::Furniture } else { Ledger::Inventory };
                product(&format!("P-{index}"), ledger, quantity, price * i64::from(quantity))
            };
            let bought: Vec<Bought> = lines.into_iter().enumerate().map(line).collect();
            World {
                paid_minor: bought.iter().map(|line| line.gross_minor).sum::<i64>() * percent / 100,
                parcels: parcels(&bought, &arrives),
                risk,
                bridge_clears,
                reviewer_releases,
                stock_refused: refused.map(|index| index.get(&bought).ledger),
                invoice_issued,
                warehouse_ships: ships,
                sends_back: back,
                bought,
            }
        },
    )
}

impl World {
    fn ledgers(&self) -> Vec<Ledger> {
        let taken_from = |ledger: &Ledger| self.bought.iter().any(|line| line.ledger == *ledger);
        Ledger::ALL.into_iter().filter(taken_from).collect()
    }

    /// Everything that is said before OMS asks for anything.
    fn opening(&self) -> Vec<Entry> {
        let mut facts = vec![Entry::new(Kind::OrderConfirmed, 0)];
        for ledger in self.ledgers() {
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
    fn reaction_to(&self, decision: &Decision) -> Vec<Entry> {
        match decision {
            Decision::Fulfil if self.warehouse_ships => {
                let fate = |parcel: &Parcel| {
                    let end = if parcel.arrives { Kind::ShipmentDelivered } else { Kind::ShipmentLost };
                    [about(parcel, end), about(parcel, Kind::ShipmentDispatched)]
                };
                self.parcels.iter().flat_map(fate).collect()
            }
            Decision::Fulfil => vec![Entry::new(Kind::ShipmentFailed, 0)],
            Decision::Hold if self.reviewer_releases => vec![Entry::new(Kind::OrderReleased, 0)],
            Decision::Hold => vec![Entry::new(Kind::ReviewRefused, 0)],
            Decision::Complete if self.sends_back => vec![self.sent_back(Kind::ReturnRequested)],
            Decision::Refund(claim) => {
                vec![Entry::of_part(Kind::RefundIssued, claim.refund_id.as_str(), Vec::new(), 0)]
            }
            Decision::Cancel(_) | Decision::Complete => Vec::new(),
        }
    }

    fn sent_back(&self, kind: Kind) -> Entry {
        let arrived = self.parcels.iter().filter(|parcel| parcel.arrives);
        let units = arrived.flat_map(|parcel| parcel.units.clone()).collect();
        Entry { damaged_percent: Some(0), ..Entry::of_part(kind, "return-1", units, 0) }
    }

    /// What is paid back when nothing stays with the customer but what arrived and was kept, in hundredths.
    fn given_back_minor(facts: &Facts) -> i64 {
        facts.all(Kind::RefundRequested).filter_map(|entry| entry.amount_minor).sum()
    }
}

fn of(kind: Kind, ledger: Ledger) -> Entry {
    Entry { ledger: Some(ledger), ..Entry::new(kind, 0) }
}

fn about(parcel: &Parcel, kind: Kind) -> Entry {
    Entry { ledger: Some(parcel.ledger), ..Entry::of_part(kind, &parcel.name, parcel.units.clone(), 0) }
}

fn is_a_persons_word(kind: Kind) -> bool {
    matches!(kind, Kind::OrderReleased | Kind::ReviewRefused)
}

/// Adds a fact as the reactions and doors do; what follows is noted and answered. Every fact moves the order one step of the table, or none.
fn hear(facts: &mut Facts, world: &World, entry: Entry) -> Vec<Decision> {
    let mut standing = status(facts);
    if is_a_persons_word(entry.kind) && standing != Status::OnHold {
        return Vec::new();
    }
    if entry.kind == Kind::OrderConfirmed {
        facts.ledgers = world.ledgers();
        facts.bought.clone_from(&world.bought);
        facts.paid_minor = world.paid_minor;
        facts.risk = Some(world.risk);
    }
    if !facts.add(entry) {
        return Vec::new();
    }
    let mut step = |facts: &Facts| {
        let now = status(facts);
        assert!(now == standing || MACHINE.lead(standing, now).is_ok(), "{standing:?} to {now:?} in {facts:?}");
        standing = now;
    };
    step(facts);
    let decisions = decide(facts);
    for decision in &decisions {
        note(facts, decision, 0);
        step(facts);
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
        if entry.kind == Kind::ReturnRequested && !facts.has(Kind::ReturnRequested) {
            under_way.push(world.sent_back(Kind::ReturnClosed));
        }
        let decisions = hear(&mut facts, world, entry);
        under_way.extend(decisions.iter().flat_map(|decision| world.reaction_to(decision)));
        said.extend(decisions);
    }
    (facts, said)
}

/// A name for what must not be said twice.
fn key(decision: &Decision) -> String {
    match decision {
        Decision::Fulfil => "fulfil".to_owned(),
        Decision::Cancel(_) => "cancel".to_owned(),
        Decision::Hold => "hold".to_owned(),
        Decision::Complete => "complete".to_owned(),
        Decision::Refund(claim) => format!("refund {}", claim.refund_id),
    }
}

/// The names of what was said. Of a cancelled order a hold and refunds are left out: whether they or the end came first is chance.
fn names(facts: &Facts, said: &[Decision]) -> BTreeSet<String> {
    let cancelled = status(facts) == Status::Cancelled;
    let chance = |decision: &&Decision| cancelled && matches!(decision, Decision::Hold | Decision::Refund(_));
    said.iter().filter(|decision| !chance(decision)).map(key).collect()
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
        let given = World::given_back_minor(&facts);
        prop_assert!((0..=world.paid_minor).contains(&given));
        if status(&facts) != Status::Cancelled {
            prop_assert_eq!(given, World::given_back_minor(&expected));
            let kept = world.parcels.iter().any(|parcel| parcel.arrives) && !world.sends_back;
            prop_assert_eq!(given == world.paid_minor, !kept, "everything back is everything paid back, to the cent");
        }
    }

    #[test]
    fn whatever_comes_each_thing_is_said_once_nothing_after_the_end_and_no_shipping_before_clear(
        world in worlds(),
        kinds in prop::collection::vec((0usize..KINDS.len(), any::<bool>(), any::<prop::sample::Index>()), 0..60),
    ) {
        let (mut facts, mut said) = (Facts::default(), Vec::new());
        for (kind, furniture, index) in kinds {
            let ledger = if furniture { Ledger::Furniture } else { Ledger::Inventory };
            let parcel = index.get(&world.parcels);
            let entry = match KINDS[kind] {
                // The warehouse's table lets a shipment end once, and so they come only in pairs that may be.
                Kind::ShipmentDelivered | Kind::ShipmentLost if parcel.arrives => about(parcel, Kind::ShipmentDelivered),
                Kind::ShipmentDelivered | Kind::ShipmentLost => about(parcel, Kind::ShipmentLost),
                Kind::ShipmentDispatched => about(parcel, Kind::ShipmentDispatched),
                kind @ (Kind::ReturnRequested | Kind::ReturnClosed | Kind::ReturnLapsed) => world.sent_back(kind),
                kind => of(kind, ledger),
            };
            let ended = matches!(status(&facts), Status::Cancelled | Status::Rejected);
            let decisions = hear(&mut facts, &world, entry);
            prop_assert!(!ended || decisions.is_empty(), "{decisions:?} after the end");
            if decisions.contains(&Decision::Fulfil) {
                prop_assert!(!facts.has(Kind::OrderCancelled));
                prop_assert!(world.ledgers().iter().all(|&ledger| facts.has_for(Kind::StockCommitted, ledger)));
                prop_assert!(facts.has(Kind::InvoiceIssued));
                let clear = world.risk != RiskLevel::Unknown || facts.has(Kind::FraudCleared);
                prop_assert!((clear && !facts.has(Kind::FraudFlagged)) || facts.has(Kind::OrderReleased));
            }
            said.extend(decisions);
        }
        let keys: BTreeSet<String> = said.iter().map(key).collect();
        prop_assert_eq!(keys.len(), said.len(), "something twice in {:?}", said);
        prop_assert!((0..=world.paid_minor).contains(&World::given_back_minor(&facts)));
    }

    #[test]
    fn the_set_survives_its_row(world in worlds(), picks in prop::collection::vec((any::<usize>(), any::<bool>()), 0..20)) {
        let (facts, _) = run(&world, &picks);
        let text = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    }
}

/// Everything that can come from outside.
const KINDS: [Kind; 20] = [
    Kind::OrderConfirmed,
    Kind::StockCommitted,
    Kind::StockRejected,
    Kind::InvoiceIssued,
    Kind::InvoiceFailed,
    Kind::FraudCleared,
    Kind::FraudFlagged,
    Kind::ShipmentDispatched,
    Kind::ShipmentDelivered,
    Kind::ShipmentLost,
    Kind::ShipmentFailed,
    Kind::RefundIssued,
    Kind::ReturnReceived,
    Kind::ReturnRequested,
    Kind::ReturnClosed,
    Kind::ReturnLapsed,
    Kind::CancelRequested,
    Kind::ReviewRefused,
    Kind::WarehouseStopped,
    Kind::OrderReleased,
];

/// An order of one product per ledger.
fn known(ledgers: &[Ledger], risk: RiskLevel, entries: &[Entry]) -> Facts {
    let bought = ledgers.iter().map(|ledger| product(ledger.as_str(), *ledger, 1, 100)).collect();
    let log = entries.to_vec();
    Facts { bought, paid_minor: 100, ledgers: ledgers.to_vec(), risk: Some(risk), reason: None, log }
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

/// Facts from before shipments named their units are about everything of their ledger.
#[test]
fn shipped_means_every_ledger() {
    let entries = [Entry::new(Kind::FulfillmentRequested, 0), of(Kind::ShipmentDispatched, Ledger::Inventory)];
    let mut facts = known(&Ledger::ALL, RiskLevel::Low, &entries);
    assert_eq!(status(&facts), Status::Fulfilling);
    assert_eq!(waiting_for(&facts), ["dispatch:furniture", "delivery:inventory", "delivery:furniture"]);
    facts.add(of(Kind::ShipmentDispatched, Ledger::Furniture));
    assert_eq!(status(&facts), Status::Shipped);
}

#[test]
fn an_order_of_freight_is_complete_when_every_product_is_there_or_given_up() {
    let bought = vec![product("A", Ledger::Furniture, 1, 100), product("B", Ledger::Furniture, 2, 200)];
    let part = |kind, name: &str, product: &str, quantity| {
        let entry = Entry::of_part(kind, name, vec![units(product, quantity)], 0);
        Entry { ledger: Some(Ledger::Furniture), ..entry }
    };
    let log = vec![Entry::new(Kind::FulfillmentRequested, 0), part(Kind::ShipmentDelivered, "s-a", "A", 1)];
    let mut facts = Facts { bought, paid_minor: 299, ledgers: vec![Ledger::Furniture], log, ..Facts::default() };
    assert_eq!((status(&facts), decide(&facts)), (Status::Fulfilling, vec![]));
    assert_eq!(waiting_for(&facts), ["dispatch:furniture", "delivery:furniture"]);
    facts.add(part(Kind::ShipmentLost, "s-b", "B", 2));
    let [Decision::Refund(claim), Decision::Complete] = &decide(&facts)[..] else { panic!("{:?}", decide(&facts)) };
    assert_eq!((claim.amount_minor, claim.shipment_id.as_ref().map(|id| id.as_str())), (199, Some("s-b")));
}

#[test]
fn an_order_of_which_nothing_arrived_is_cancelled() {
    let parcel =
        Parcel { name: "s".into(), ledger: Ledger::Inventory, units: vec![units("inventory", 1)], arrives: false };
    let log = [Entry::new(Kind::FulfillmentRequested, 0), about(&parcel, Kind::ShipmentLost)];
    let facts = known(&[Ledger::Inventory], RiskLevel::Low, &log);
    assert_eq!(decide(&facts), [Decision::Cancel(CancellationReason::Undeliverable)]);
}

#[test]
fn what_is_on_its_way_is_not_cancelled_by_a_no_from_before() {
    let left = [Kind::ShipmentDispatched, Kind::ShipmentDelivered];
    let noes = [Kind::StockRejected, Kind::InvoiceFailed, Kind::ReviewRefused, Kind::CancelRequested];
    for (left, no) in left.into_iter().flat_map(|left| noes.map(|no| (left, no))) {
        // The word of the warehouse may be heard before anything else about the order is.
        let log = [of(left, Ledger::Inventory), Entry { ledger: Some(Ledger::Inventory), ..Entry::new(no, 0) }];
        assert_eq!(decide(&known(&[Ledger::Inventory], RiskLevel::Low, &log)), [], "{left:?} {no:?}");
        let log = [Entry { ledger: Some(Ledger::Inventory), ..Entry::new(no, 0) }];
        let decided = decide(&known(&[Ledger::Inventory], RiskLevel::Low, &log));
        assert!(matches!(decided[..], [Decision::Cancel(_)]), "{no:?} alone: {decided:?}");
    }
}
