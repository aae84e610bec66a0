//! A warehouse between two ledgers that know where their goods lie.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.
#![allow(dead_code)] // Each test file uses a part.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use events::fulfillment::{FulfillmentRequested, ReturnRequested};
use events::order::{CancellationReason, OrderCancelled};
use events::{Encoded, Envelope, Ledger, Money, OrderLine};
use runtime::server::Server;
use serde_json::json;
use testkit::{Scenario, event};
use tokio::net::TcpListener;
use warehouse::{Carrier, Config, Delays, MIGRATIONS};

pub const ORDER: &str = "order-1";
/// So long that nothing moves by itself while a test runs.
pub const SLOW: Delays = Delays { dispatch_ms: 3_600_000, deliver_ms: 3_600_000, carrier: Carrier::Own };

/// A warehouse, its doors, and the ledgers it asks.
pub struct House {
    pub scenario: Scenario,
    pub doors: Router,
    pub delays: Delays,
    pub config: Config,
    ledgers: Vec<Server>,
}

impl House {
    /// A warehouse between ledgers that know `LAMP`, `CUP`, `FURN-1` and `FURN-2`; `LOST` lies nowhere.
    pub async fn new(delays: Delays) -> Self {
        let inventory = ledger(&[("LAMP", Some("Aisle 1")), ("CUP", Some("Aisle 2")), ("LOST", None)]).await;
        let furniture = ledger(&[("FURN-1", Some("Hall 9")), ("FURN-2", Some("Hall 7"))]).await;
        let url = |server: &Server| format!("http://{}", server.address());
        let config = Config {
            inventory_url: url(&inventory),
            furniture_url: url(&furniture),
            peer_timeout: std::time::Duration::from_millis(500),
            delays,
            ..Config::default()
        };
        let scenario = Scenario::new(warehouse::consumer(&config, &runtime::Identity::open_house()), MIGRATIONS);
        let doors =
            warehouse::doors(scenario.transactor().clone(), &config, &runtime::Identity::open_house()).open_house();
        Self { scenario, doors, delays, config, ledgers: vec![inventory, furniture] }
    }

    /// Takes the ledgers away.
    pub async fn lose_ledgers(&mut self) {
        for ledger in self.ledgers.drain(..) {
            ledger.stop().await;
        }
    }

    /// The chore, as if it ran `after_ms` from now.
    pub async fn progress(&self, after_ms: i64) {
        let now_ms = runtime::clock::now_ms() + after_ms;
        warehouse::progress(self.scenario.transactor(), self.delays, now_ms).await;
    }

    /// The types of what was said, in order, without their common beginning.
    pub fn said(&self) -> Vec<String> {
        let short = |wire: &String| {
            wire.trim_start_matches("com.onlineboutique.fulfillment.").trim_end_matches(".v1").to_owned()
        };
        self.scenario.said().iter().map(|message| short(&message.attributes["ce-type"])).collect()
    }

    /// The statuses of the order's shipments.
    pub async fn statuses(&self) -> Vec<String> {
        let sql = "SELECT status FROM shipments WHERE order_id = 'order-1' ORDER BY ledger DESC, part";
        self.scenario.read(move |tx| tx.query(sql, &[], |row| row.get_text(0))).await
    }

    /// How many messages wait in the outbox.
    pub async fn unsent(&self) -> i64 {
        self.scenario.read(store::outbox::unsent_count).await
    }
}

type Places = HashMap<&'static str, Option<&'static str>>;

/// `GET /inventory?ids=` as the ledgers answer it.
async fn ledger(places: &[(&'static str, Option<&'static str>)]) -> Server {
    let places: Places = places.iter().copied().collect();
    let router = Router::new().route("/inventory", get(items)).with_state(places);
    Server::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), router).unwrap()
}

async fn items(State(places): State<Places>, Query(query): Query<HashMap<String, String>>) -> Response {
    let Some(ids) = query.get("ids") else { return StatusCode::BAD_REQUEST.into_response() };
    let data: Vec<_> = ids
        .split(',')
        .filter_map(|id| Some((id, places.get(id)?)))
        .map(|(id, place)| json!({ "productId": id, "location": place, "stockLevel": 9, "available": 9 }))
        .collect();
    Json(json!({ "total": data.len(), "data": data })).into_response()
}

pub fn line(product_id: &str) -> OrderLine {
    let ledger = if product_id.starts_with("FURN-") { Ledger::Furniture } else { Ledger::Inventory };
    OrderLine { product_id: product_id.parse().unwrap(), quantity: 2, unit_price: Money::from_minor(1_249), ledger }
}

pub fn request(products: &[&str]) -> FulfillmentRequested {
    FulfillmentRequested { order_id: ORDER.parse().unwrap(), lines: products.iter().map(|id| line(id)).collect() }
}

pub fn requested(products: &[&str]) -> Envelope<Encoded> {
    event(request(products)).from("oms").seal()
}

pub fn cancelled() -> Envelope<Encoded> {
    let reason = CancellationReason::ByCustomer;
    event(OrderCancelled { order_id: ORDER.parse().unwrap(), reason }).from("oms").seal()
}

pub fn return_requested(products: &[&str]) -> Envelope<Encoded> {
    let fact = ReturnRequested {
        order_id: ORDER.parse().unwrap(),
        return_id: "return-1".parse().unwrap(),
        lines: products.iter().map(|id| line(id)).collect(),
        reason: "does not fit".to_owned(),
    };
    event(fact).from("oms").seal()
}
