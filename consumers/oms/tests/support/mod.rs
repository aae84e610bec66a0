//! Facts about one order, as the others say them.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.
#![allow(dead_code)] // Each test file uses a part.

use events::billing::{InvoiceFailed, InvoiceIssued};
use events::fulfillment::{ShipmentDelivered, ShipmentDispatched, ShipmentFailed};
use events::inventory::{StockCommitted, StockRejected};
use events::order::OrderConfirmed;
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{Encoded, Envelope, Ledger, Money, OrderLine, StockLine};
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
    let lines: Vec<_> = ledgers.iter().map(|ledger| line("66VCHSJNUP", *ledger)).collect();
    let total = Money::from_minor(2_498 * i64::try_from(lines.len()).unwrap());
    let (order_id, customer_id) = (order_id.parse().unwrap(), "jane-smith".parse().unwrap());
    let fact = OrderConfirmed { order_id, customer_id, lines, discount: Money::zero(), total, risk };
    event(fact).seal()
}

pub fn confirmed(risk: RiskLevel) -> Envelope<Encoded> {
    confirmed_order(ORDER, &[Ledger::Inventory], risk)
}

fn units() -> Vec<StockLine> {
    vec![line("66VCHSJNUP", Ledger::Inventory).stock()]
}

pub fn committed_for(order_id: &str, ledger: Ledger) -> Envelope<Encoded> {
    let (order_id, reservation_id) = (order_id.parse().unwrap(), "hold-1".parse().unwrap());
    event(StockCommitted { order_id, reservation_id, ledger, lines: units() }).from(ledger.as_str()).seal()
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
        lines: units(),
        carrier: "Boutique Parcel".to_owned(),
        tracking_number: "OB1".to_owned(),
    };
    event(fact).from("warehouse").seal()
}

pub fn delivered(ledger: Ledger, at_ms: i64) -> Envelope<Encoded> {
    let (order_id, shipment_id) = (ORDER.parse().unwrap(), format!("shipment-{ledger}").parse().unwrap());
    event(ShipmentDelivered { order_id, shipment_id, ledger }).from("warehouse").at(at_ms).seal()
}

pub fn shipment_failed() -> Envelope<Encoded> {
    let (code, reason) = ("stopped".to_owned(), "the order was stopped before dispatch".to_owned());
    event(ShipmentFailed { order_id: ORDER.parse().unwrap(), code, reason }).from("warehouse").seal()
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
