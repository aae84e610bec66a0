//! A ledger with a few products, and the events that reach it.

use events::fulfillment::{ReturnReceived, ShipmentDispatched};
use events::inventory::StockReserved;
use events::order::{CancellationReason, OrderCancelled};
use events::platform::MinuteElapsed;
use events::{Encoded, Envelope, Ledger, StockLine, Timestamp};
use runtime::Problem;
use stock::contract::{Item, Reservation, ReservationRequest};
use stock::holds::{self, Status};
use stock::{products, reserve};
use store::{StoreError, params};
use testkit::{EventBuilder, Scenario, T0, event};

/// When the holds of these tests lapse.
pub const DEADLINE: i64 = T0 + 60_000;
/// A product with 10 units and the threshold 4.
pub const LENS: &str = "66VCHSJNUP";
/// A product with 5 units and no threshold.
pub const MUG: &str = "LS4PSXUNUM";

const PRODUCT: &str = "INSERT INTO stock
    (product_id, name, category, unit_price_minor, location, stock_level, low_threshold, updated_at_ms)
    VALUES (?1, ?2, 'Sample', 1249, 'aisle-3', ?3, ?4, ?5)";

/// The ledger `inventory` with [`LENS`] and [`MUG`].
pub async fn shop() -> Scenario {
    let scenario =
        Scenario::new(stock::reactions(Ledger::Inventory), &[stock::LEDGER, stock::LAPSES, stock::DEPARTURES]);
    scenario
        .given(|tx| {
            tx.execute(PRODUCT, params![LENS, "Vintage Camera Lens", 10, 4, T0])?;
            tx.execute(PRODUCT, params![MUG, "Metal Camping Mug", 5, 0, T0])
        })
        .await;
    scenario
}

pub fn lines(lines: &[(&str, u32)]) -> Vec<StockLine> {
    let line = |(id, quantity): &(&str, u32)| StockLine { product_id: id.parse().unwrap(), quantity: *quantity };
    lines.iter().map(line).collect()
}

/// Holds units for `order` with the hold `order-hold` until [`DEADLINE`].
pub async fn hold(shop: &Scenario, order: &str, held: &[(&str, u32)]) -> Result<Reservation, Problem> {
    let request = ReservationRequest {
        order_id: order.parse().unwrap(),
        reservation_id: format!("{order}-hold").parse().unwrap(),
        expires_at: Timestamp::from_millisecond(DEADLINE).unwrap(),
        lines: lines(held),
    };
    shop.transactor().store().write(T0, move |tx| reserve::reserve(tx, &request)).await
}

pub async fn product(shop: &Scenario, id: &str) -> Item {
    let id = id.parse().unwrap();
    shop.read(move |tx| products::find(tx, &id)).await.unwrap()
}

/// Units in the house and units held.
pub async fn units(shop: &Scenario, id: &str) -> (u32, u32) {
    let product = product(shop, id).await;
    assert_eq!(product.available, product.stock_level - product.reserved);
    (product.stock_level, product.reserved)
}

/// How far the hold of `order` has come.
pub async fn status(shop: &Scenario, order: &str) -> Option<Status> {
    let id = format!("{order}-hold").parse().unwrap();
    shop.read(move |tx| holds::find(tx, &id)).await.map(|hold| hold.status)
}

pub async fn outbox_len(shop: &Scenario) -> i64 {
    let count = "SELECT COUNT(*) FROM outbox";
    shop.read(move |tx| tx.query_opt(count, &[], |row| row.get_i64(0))).await.unwrap()
}

pub async fn unsent(shop: &Scenario) -> i64 {
    shop.read(|tx| -> Result<i64, StoreError> { store::outbox::unsent_count(tx) }).await
}

pub fn stock_reserved(order: &str, held: &[(&str, u32)]) -> EventBuilder {
    event(StockReserved {
        order_id: order.parse().unwrap(),
        reservation_id: format!("{order}-hold").parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: lines(held),
        expires_at: Timestamp::from_millisecond(DEADLINE).unwrap(),
    })
    .at(T0 + 1)
}

/// The minute that ended at `at_ms`, Unix milliseconds.
pub fn minute(at_ms: i64) -> Envelope<Encoded> {
    event(MinuteElapsed { minute: Timestamp::from_millisecond(at_ms).unwrap() }).from("scheduler").at(at_ms).seal()
}

pub fn cancelled(order: &str) -> Envelope<Encoded> {
    let fact = OrderCancelled { order_id: order.parse().unwrap(), reason: CancellationReason::ByCustomer };
    event(fact).from("oms").seal()
}

/// Cancelled because all of it left and none of it could be delivered.
pub fn undeliverable(order: &str) -> Envelope<Encoded> {
    let fact = OrderCancelled { order_id: order.parse().unwrap(), reason: CancellationReason::Undeliverable };
    event(fact).from("oms").seal()
}

pub fn dispatched(order: &str, shipment: &str, left: &[(&str, u32)]) -> EventBuilder {
    event(dispatch(order, shipment, left)).from("warehouse")
}

pub fn dispatch(order: &str, shipment: &str, left: &[(&str, u32)]) -> ShipmentDispatched {
    ShipmentDispatched {
        order_id: order.parse().unwrap(),
        shipment_id: shipment.parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: lines(left),
        carrier: "parcel".to_owned(),
        tracking_number: "T-1".to_owned(),
        attempt: None,
    }
}

pub fn returned(order: &str, name: &str, back: &[(&str, u32)]) -> EventBuilder {
    event(ReturnReceived {
        order_id: order.parse().unwrap(),
        return_id: name.parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: lines(back),
        scrapped: Vec::new(),
    })
    .from("warehouse")
}

/// The code of a permanent failure.
pub fn dead_letter_code(outcome: &runtime::Outcome) -> Option<&str> {
    match outcome {
        runtime::Outcome::Permanent(failure) => Some(failure.code()),
        _ => None,
    }
}
