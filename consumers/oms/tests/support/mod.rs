//! Facts about one order, as the others say them.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.
#![allow(dead_code)] // Each test file uses a part.

use events::billing::{InvoiceFailed, InvoiceIssued};
use events::fulfillment::{
    InspectedLine, ReturnClosed, ReturnOutcome, ShipmentDelivered, ShipmentDispatched, ShipmentFailed,
};
use events::id::derived;
use events::inventory::{StockCommitted, StockRejected};
use events::order::OrderConfirmed;
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{Encoded, Envelope, Ledger, Money, OrderLine, ReturnId, StockLine};
use oms::{MIGRATIONS, consumer};
use runtime::Outcome;
use testkit::{Scenario, T0, event};

pub const ORDER: &str = "order-1";

/// OMS on an empty database.
pub fn shop() -> Scenario {
    Scenario::new(consumer(), MIGRATIONS)
}

pub fn line(product_id: &str, ledger: Ledger) -> OrderLine {
    OrderLine { product_id: product_id.parse().unwrap(), quantity: 2, unit_price: Money::from_minor(1_249), ledger }
}

/// An order of one product, or of one per ledger.
pub fn confirmed_order(order_id: &str, ledgers: &[Ledger], risk: RiskLevel) -> Envelope<Encoded> {
    let lines: Vec<_> = ledgers.iter().map(|ledger| line(product_of(*ledger), *ledger)).collect();
    let total = Money::from_minor(2_498 * i64::try_from(lines.len()).unwrap());
    let (order_id, customer_id) = (order_id.parse().unwrap(), "jane-smith".parse().unwrap());
    let (shipping_country, billing_country, discount) = (None, None, Money::zero());
    let fact =
        OrderConfirmed { order_id, customer_id, lines, discount, total, risk, shipping_country, billing_country };
    event(fact).seal()
}

pub fn confirmed(risk: RiskLevel) -> Envelope<Encoded> {
    confirmed_order(ORDER, &[Ledger::Inventory], risk)
}

/// The product of an order from one ledger.
pub fn product_of(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::Inventory => "66VCHSJNUP",
        Ledger::Furniture => "FURN-1",
    }
}

fn units(ledger: Ledger) -> Vec<StockLine> {
    vec![line(product_of(ledger), ledger).stock()]
}

pub fn committed_for(order_id: &str, ledger: Ledger) -> Envelope<Encoded> {
    let (order_id, reservation_id) = (order_id.parse().unwrap(), "hold-1".parse().unwrap());
    event(StockCommitted { order_id, reservation_id, ledger, lines: units(ledger) }).from(ledger.as_str()).seal()
}

pub fn committed() -> Envelope<Encoded> {
    committed_for(ORDER, Ledger::Inventory)
}

pub fn stock_rejected() -> Envelope<Encoded> {
    let (order_id, reservation_id) = (ORDER.parse().unwrap(), "hold-1".parse().unwrap());
    let ledger = Ledger::Inventory;
    event(StockRejected { order_id, reservation_id, ledger, shortages: Vec::new() }).from("inventory").seal()
}

pub fn invoiced_for(order_id: &str) -> Envelope<Encoded> {
    let (order_id, invoice_id) = (order_id.parse().unwrap(), "invoice-1".parse().unwrap());
    event(InvoiceIssued { order_id, invoice_id, total: Money::from_minor(2_498) }).from("accounting").seal()
}

pub fn invoiced() -> Envelope<Encoded> {
    invoiced_for(ORDER)
}

pub fn invoice_failed() -> Envelope<Encoded> {
    let (code, reason) = ("account_closed".to_owned(), "the account is closed".to_owned());
    event(InvoiceFailed { order_id: ORDER.parse().unwrap(), code, reason }).from("accounting").seal()
}

pub fn cleared() -> Envelope<Encoded> {
    event(FraudCleared { order_id: ORDER.parse().unwrap(), level: RiskLevel::Low }).from("fraud-bridge").seal()
}

pub fn flagged() -> Envelope<Encoded> {
    let reasons = vec!["the countries differ".to_owned()];
    event(FraudFlagged { order_id: ORDER.parse().unwrap(), level: RiskLevel::High, reasons })
        .from("fraud-bridge")
        .seal()
}

pub fn dispatched(ledger: Ledger) -> Envelope<Encoded> {
    let fact = ShipmentDispatched {
        order_id: ORDER.parse().unwrap(),
        shipment_id: format!("shipment-{ledger}").parse().unwrap(),
        ledger,
        lines: units(ledger),
        carrier: "Boutique Parcel".to_owned(),
        tracking_number: "OB1".to_owned(),
        attempt: None,
    };
    event(fact).from("warehouse").seal()
}

pub fn delivered(ledger: Ledger, at_ms: i64) -> Envelope<Encoded> {
    let (order_id, shipment_id) = (ORDER.parse().unwrap(), format!("shipment-{ledger}").parse().unwrap());
    event(ShipmentDelivered { order_id, shipment_id, ledger, lines: units(ledger) }).from("warehouse").at(at_ms).seal()
}

/// One shipment left, and could not be delivered.
pub fn lost(ledger: Ledger) -> Envelope<Encoded> {
    let (code, reason) = ("undeliverable".to_owned(), "delivery failed 2 times".to_owned());
    let shipment_id = Some(format!("shipment-{ledger}").parse().unwrap());
    let (order_id, lines) = (ORDER.parse().unwrap(), units(ledger));
    event(ShipmentFailed { order_id, code, reason, shipment_id, ledger: Some(ledger), lines }).from("warehouse").seal()
}

/// The return that a client's name stands for in an order.
pub fn return_of(order_id: &str, name: &str) -> ReturnId {
    ReturnId::from_uuid(derived("return", &format!("{order_id}/{name}")))
}

/// A return was inspected: the counts are restocked, scrapped, damaged, missing.
pub fn return_closed(return_id: &str, ledger: Ledger, counts: [u32; 4]) -> Envelope<Encoded> {
    let [restocked, scrapped, damaged, missing] = counts;
    let product_id = product_of(ledger).parse().unwrap();
    let lines = vec![InspectedLine { product_id, ledger, restocked, scrapped, damaged, missing }];
    let (order_id, return_id) = (ORDER.parse().unwrap(), return_of(ORDER, return_id));
    event(ReturnClosed { order_id, return_id, outcome: ReturnOutcome::Received, lines }).from("warehouse").seal()
}

/// The goods of a return never came.
pub fn return_lapsed(return_id: &str, ledger: Ledger, missing: u32) -> Envelope<Encoded> {
    let product_id = product_of(ledger).parse().unwrap();
    let lines = vec![InspectedLine { product_id, ledger, restocked: 0, scrapped: 0, damaged: 0, missing }];
    let (order_id, return_id) = (ORDER.parse().unwrap(), return_of(ORDER, return_id));
    event(ReturnClosed { order_id, return_id, outcome: ReturnOutcome::Lapsed, lines }).from("warehouse").seal()
}

pub fn shipment_failed() -> Envelope<Encoded> {
    let (code, reason) = ("stopped".to_owned(), "the order was stopped before dispatch".to_owned());
    let order_id = ORDER.parse().unwrap();
    event(ShipmentFailed { order_id, code, reason, shipment_id: None, ledger: None, lines: Vec::new() })
        .from("warehouse")
        .seal()
}

/// Delivers each, and sees it handled.
pub async fn hear_all(shop: &Scenario, facts: &[Envelope<Encoded>]) {
    for fact in facts {
        let outcome = shop.when(fact).await;
        assert!(matches!(outcome, Outcome::Handled(_)), "{}: {outcome:?}", fact.event_type);
    }
}

/// The types of what was said, in order, without their common beginning.
pub fn said(shop: &Scenario) -> Vec<String> {
    let short = |wire: &String| wire.trim_start_matches("com.onlineboutique.").trim_end_matches(".v1").to_owned();
    shop.said().iter().map(|message| short(&message.attributes["ce-type"])).collect()
}

/// The status in the row.
pub async fn status(shop: &Scenario) -> String {
    let sql = "SELECT status FROM orders WHERE order_id = 'order-1'";
    shop.read(move |tx| tx.query_opt(sql, &[], |row| row.get_text(0))).await.unwrap_or_default()
}

/// A time after the beginning.
pub const LATER: i64 = T0 + 60_000;
