//! How long a minute takes OMS with 100,000 open orders on SQLite: `cargo run -p oms --example minute`.
#![allow(clippy::unwrap_used)] // It prints figures or stops.

use events::order::OrderConfirmed;
use events::platform::MinuteElapsed;
use events::risk::RiskLevel;
use events::{Encoded, Envelope, Ledger, Money, OrderLine, Timestamp};
use runtime::Outcome;
use runtime::clock::Stopwatch;
use testkit::{Scenario, T0, event};

/// Open orders beside the one they are copies of.
const ORDERS: i64 = 100_000;
/// The default deadlines of stock and invoice.
const DEADLINE_MS: i64 = 5 * 60 * 1_000;
/// Times each minute is measured.
const TIMES: i64 = 5;

const COPY: &str =
    "WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
    INSERT INTO orders (order_id, status, customer_id, placed_at_ms, updated_at_ms, contents, facts, waits_for,
    waits_from_ms, stuck_since_ms)
    SELECT 'order-' || number, status, customer_id, placed_at_ms, updated_at_ms, contents, facts, waits_for,
    waits_from_ms, stuck_since_ms FROM orders, numbers WHERE order_id = 'order-0'";

#[tokio::main]
async fn main() {
    let shop = Scenario::new(oms::consumer(), oms::MIGRATIONS);
    shop.when(&confirmed()).await;
    shop.given(|tx| tx.execute(COPY, &[store::Param::Int(ORDERS)])).await;
    println!("{ORDERS} open orders, each waits for stock and invoice");
    for number in 0..TIMES {
        measure(&shop, "nothing due", T0 + number).await;
    }
    for number in 0..TIMES {
        measure(&shop, "all due", T0 + DEADLINE_MS + number).await;
    }
}

async fn measure(shop: &Scenario, what: &str, minute_ms: i64) {
    let minute = minute(minute_ms);
    let watch = Stopwatch::start();
    let outcome = shop.when(&minute).await;
    let elapsed = watch.elapsed();
    let Outcome::Handled(said) = outcome else { panic!("{outcome:?}") };
    println!("{what}: {:.1} ms, {} events said", elapsed.as_secs_f64() * 1_000.0, said.len());
}

fn minute(at_ms: i64) -> Envelope<Encoded> {
    event(MinuteElapsed { minute: Timestamp::from_millisecond(at_ms).unwrap() }).from("scheduler").at(at_ms).seal()
}

fn confirmed() -> Envelope<Encoded> {
    let unit_price = Money::from_minor(1_249);
    let product_id = "66VCHSJNUP".parse().unwrap();
    let lines = vec![OrderLine { product_id, quantity: 1, unit_price: unit_price.clone(), ledger: Ledger::Inventory }];
    let (order_id, customer_id) = ("order-0".parse().unwrap(), "jane-smith".parse().unwrap());
    let (discount, total) = (Money::zero(), unit_price);
    event(OrderConfirmed {
        order_id,
        customer_id,
        lines,
        discount,
        total,
        risk: RiskLevel::Low,
        shipping_country: None,
        billing_country: None,
    })
    .seal()
}
