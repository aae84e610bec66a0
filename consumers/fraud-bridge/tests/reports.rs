//! What the fraud engine is told about orders that ended, through outages.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use events::Money;
use events::order::{CancellationReason, OrderCancelled, OrderCompleted};
use fraud_bridge::{Config, MIGRATIONS, Settler, consumer};
use runtime::server::Server;
use runtime::{Identity, Metrics, Outcome};
use serde_json::{Value, json};
use testkit::{Scenario, T0, event};
use tokio::net::TcpListener;

/// 2100-01-01T00:00:00Z: everything is due.
const LATER: i64 = 4_102_444_800_000;

#[derive(Default)]
struct Engine {
    is_down: bool,
    told: Vec<Value>,
}

type Shared = Arc<Mutex<Engine>>;

async fn take(State(engine): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut engine = engine.lock().unwrap();
    if engine.is_down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    engine.told.push(body);
    (StatusCode::CREATED, Json(json!({ "riskScore": "LOW" })))
}

struct World {
    bridge: Scenario,
    settler: Settler,
    metrics: Metrics,
    engine: Shared,
    _server: Server,
}

impl World {
    async fn new() -> Self {
        let engine = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = Router::new().route("/metrics", post(take)).with_state(Arc::clone(&engine));
        let server = Server::start(listener, doors).unwrap();
        let config =
            Config { fraud_engine_url: format!("http://{}", server.address()), timeout: Duration::from_secs(5) };
        let bridge = Scenario::new(consumer(), MIGRATIONS);
        let metrics = Metrics::new("fraud-bridge");
        let settler = Settler::new(bridge.transactor().clone(), &config, &Identity::open_house(), &metrics);
        Self { bridge, settler, metrics, engine, _server: server }
    }

    fn told(&self) -> Vec<Value> {
        self.engine.lock().unwrap().told.clone()
    }

    async fn waiting(&self) -> i64 {
        let count = |tx: &mut store::Tx<'_>| tx.query_opt("SELECT COUNT(*) FROM reports", &[], |row| row.get_i64(0));
        self.bridge.read(count).await.unwrap()
    }
}

fn completed(order: &str) -> OrderCompleted {
    OrderCompleted {
        order_id: order.parse().unwrap(),
        customer_id: "john-doe".parse().unwrap(),
        total: Money::from_minor(2_498),
        completed_at: runtime::clock::from_ms(T0),
    }
}

fn cancelled(order: &str, reason: CancellationReason) -> OrderCancelled {
    OrderCancelled { order_id: order.parse().unwrap(), reason }
}

#[tokio::test]
async fn every_end_of_an_order_is_told_once_with_the_time_it_took() {
    let world = World::new().await;
    let mut done = event(completed("o-1")).at(T0 + 90_000).seal();
    // Minted at T0: the first 48 bits of a UUID v7 are its milliseconds.
    done.correlation_id = "019b76da-a800-7000-8000-000000000000".parse().unwrap();
    assert_eq!(world.bridge.when(&done).await, Outcome::Handled(vec![]));
    assert_eq!(world.bridge.when(&done).await, Outcome::Duplicate);
    for run in 0..3 {
        world.settler.settle_due(LATER + run).await;
    }
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let expected =
        json!({ "transactionType": "order.completed", "durationMs": 90_000, "success": true, "orderId": "o-1" });
    assert_eq!(told[0], expected);
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn a_cancellation_is_told_apart_from_a_fraud() {
    let world = World::new().await;
    for (order, reason) in [("o-1", CancellationReason::ByCustomer), ("o-2", CancellationReason::FraudConfirmed)] {
        world.bridge.when(&event(cancelled(order, reason)).seal()).await;
    }
    for run in 0..3 {
        world.settler.settle_due(LATER + run).await;
    }
    let mut told: Vec<_> = world
        .told()
        .iter()
        .map(|each| (each["orderId"].clone(), each["transactionType"].clone(), each["success"].clone()))
        .collect();
    told.sort_by_key(|(order, ..)| order.to_string());
    let expected = [("o-1", "order.cancelled"), ("o-2", "order.fraud_confirmed")]
        .map(|(order, kind)| (json!(order), json!(kind), json!(false)));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_outage_loses_no_report() {
    let world = World::new().await;
    world.engine.lock().unwrap().is_down = true;
    for n in 0..40 {
        world.bridge.when(&event(completed(&format!("o-{n}"))).seal()).await;
    }
    let now_ms = runtime::clock::now_ms();
    for run in 0..1_000 {
        world.settler.settle_due(now_ms + run * 500).await;
    }
    assert_eq!((world.told().len(), world.waiting().await), (0, 40));
    world.engine.lock().unwrap().is_down = false;
    for run in 0..10 {
        world.settler.settle_due(now_ms + 600_000 + run * 300_000).await;
    }
    assert_eq!((world.told().len(), world.waiting().await), (40, 0));
    let sent = world.metrics.value("boutique_reports_total", &[("outcome", "sent")]);
    assert!((sent - 40.0).abs() < f64::EPSILON, "{sent}");
}

/// What nobody could be told for a week is no news: the queue does not keep it for ever.
#[tokio::test]
async fn a_report_a_week_old_is_dropped_when_it_fails_again() {
    let world = World::new().await;
    world.engine.lock().unwrap().is_down = true;
    world.bridge.when(&event(completed("o-1")).seal()).await;
    let now_ms = runtime::clock::now_ms();
    world.settler.settle_due(now_ms + 6 * 86_400_000).await;
    assert_eq!(world.waiting().await, 1);
    world.settler.settle_due(now_ms + 8 * 86_400_000).await;
    assert_eq!(world.waiting().await, 0);
    let dropped = world.metrics.value("boutique_reports_total", &[("outcome", "dropped")]);
    assert!((dropped - 1.0).abs() < f64::EPSILON, "{dropped}");
}
