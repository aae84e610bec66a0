//! From an order confirmed without a score to the engine's word, through outages and crashes.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use events::order::OrderConfirmed;
use events::risk::{FraudCleared, FraudFlagged, RiskLevel};
use events::{EventId, Ledger, Money, OrderLine};
use fraud_bridge::{Config, MIGRATIONS, Run, Settler, consumer, doors, service};
use runtime::server::Server;
use runtime::{Base, Identity, Metrics, Outcome, Peer};
use serde_json::{Value, json};
use store::{Database, outbox};
use testkit::{Scenario, SimulatedBus, T0, event, get};
use tokio::net::TcpListener;

/// What the stub engine answers, and what it was asked.
#[derive(Default)]
struct Script {
    /// `None` answers 503.
    risk: Option<&'static str>,
    /// After so many questions it is down.
    dies_after: Option<usize>,
    asked: Vec<Value>,
}

type Shared = Arc<Mutex<Script>>;

async fn answer(State(script): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut script = script.lock().unwrap();
    script.asked.push(body);
    let is_dead = script.dies_after.is_some_and(|count| script.asked.len() > count);
    match script.risk.filter(|_| !is_dead) {
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some("nonsense") => "nonsense".into_response(),
        Some("refuse") => StatusCode::BAD_REQUEST.into_response(),
        Some(risk) => {
            let body = json!({ "riskScore": risk, "riskPoints": 60, "reasons": ["the amount is large"] });
            (StatusCode::CREATED, Json(body)).into_response()
        }
    }
}

struct World {
    bridge: Scenario,
    settler: Settler,
    metrics: Metrics,
    script: Shared,
    _engine: Server,
}

impl World {
    async fn new() -> Self {
        let script = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = Router::new().route("/metrics", post(answer)).with_state(Arc::clone(&script));
        let engine = Server::start(listener, doors).unwrap();
        let fraud_engine_url = format!("http://{}", engine.address());
        let config = Config { fraud_engine_url, timeout: Duration::from_secs(5) };
        let bridge = Scenario::new(consumer(), MIGRATIONS);
        let metrics = Metrics::new("fraud-bridge");
        let settler = Settler::new(bridge.transactor().clone(), &config, &Identity::open_house(), &metrics);
        Self { bridge, settler, metrics, script, _engine: engine }
    }

    fn engine_says(&self, risk: Option<&'static str>) {
        self.script.lock().unwrap().risk = risk;
    }

    /// So many orders that wait for their score.
    async fn given_waiting(&self, orders: u32) {
        for n in 0..orders {
            self.bridge.when(&event(confirmed(&format!("o-{n}"), RiskLevel::Unknown)).seal()).await;
        }
    }

    fn asked(&self) -> Vec<Value> {
        self.script.lock().unwrap().asked.clone()
    }

    async fn unsent(&self) -> i64 {
        self.bridge.read(outbox::unsent_count).await
    }

    async fn scorings(&self, query: &str) -> Value {
        get(&doors(self.bridge.transactor()).open_house(), &format!("/scorings{query}")).await.body["scorings"].take()
    }
}

/// 2100-01-01T00:00:00Z: far enough behind every delivery that what was postponed once is due again.
const LATER: i64 = 4_102_444_800_000;

fn confirmed(order: &str, risk: RiskLevel) -> OrderConfirmed {
    let line = OrderLine {
        product_id: "66VCHSJNUP".parse().unwrap(),
        quantity: 2,
        unit_price: Money::from_minor(1_249),
        ledger: Ledger::Inventory,
    };
    OrderConfirmed {
        shipping_country: None,
        billing_country: None,
        order_id: order.parse().unwrap(),
        customer_id: "john-doe".parse().unwrap(),
        lines: vec![line],
        discount: Money::zero(),
        total: Money::from_minor(2_498),
        risk,
    }
}

const SETTLED: Run = Run { settled: 1, postponed: 0, reported: 0 };
const POSTPONED: Run = Run { settled: 0, postponed: 1, reported: 0 };

#[tokio::test]
async fn an_order_with_a_score_is_none_of_its_business() {
    let world = World::new().await;
    for (n, risk) in [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High].into_iter().enumerate() {
        let order = event(confirmed(&format!("o-{n}"), risk)).seal();
        assert_eq!(world.bridge.when(&order).await, Outcome::Handled(vec![]));
    }
    assert_eq!(world.settler.settle_due(LATER).await, Run::default());
    assert_eq!(world.scorings("").await, json!([]));
}

#[tokio::test]
async fn an_unscored_order_is_cleared_once_when_the_engine_finds_it_harmless() {
    let world = World::new().await;
    world.engine_says(Some("MEDIUM"));
    let order = event(confirmed("o-1", RiskLevel::Unknown)).seal();
    assert_eq!(world.bridge.when(&order).await, Outcome::Handled(vec![]));
    assert_eq!(world.bridge.when(&order).await, Outcome::Duplicate);
    assert_eq!(world.settler.settle_due(LATER).await, SETTLED);
    assert_eq!(world.settler.settle_due(LATER).await, Run::default());
    let cleared = FraudCleared { order_id: "o-1".parse().unwrap(), level: RiskLevel::Medium };
    assert_eq!(world.bridge.said_facts::<FraudCleared>(), [cleared]);
    assert_eq!(world.bridge.said().len(), 1);
    let asked = json!({
        "transactionType": "checkout", "durationMs": 0, "success": true, "orderId": "o-1", "customerId": "john-doe",
        "amountMinor": 2498, "lineCount": 1,
    });
    assert_eq!(world.asked(), [asked]);
    let scorings = world.scorings("?status=cleared").await;
    assert_eq!((&scorings[0]["riskScore"], &scorings[0]["attempts"]), (&json!("MEDIUM"), &json!(1)));
}

#[tokio::test]
async fn the_engine_is_told_where_goods_and_bill_go_as_checkout_would_have_told_it() {
    let world = World::new().await;
    world.engine_says(Some("HIGH"));
    let (shipping_country, billing_country) = (Some("BR".to_owned()), Some("US".to_owned()));
    let abroad = OrderConfirmed { shipping_country, billing_country, ..confirmed("o-1", RiskLevel::Unknown) };
    world.bridge.when(&event(abroad).seal()).await;
    assert_eq!(world.settler.settle_due(LATER).await, SETTLED);
    let asked = world.asked().remove(0);
    assert_eq!((&asked["shippingCountry"], &asked["billingCountry"]), (&json!("BR"), &json!("US")));
}

#[tokio::test]
async fn the_answer_names_its_cause_and_its_story() {
    let world = World::new().await;
    world.engine_says(Some("LOW"));
    let order = event(confirmed("o-1", RiskLevel::Unknown)).seal();
    world.bridge.when(&order).await;
    world.settler.settle_due(LATER).await;
    let attributes = world.bridge.said().remove(0).attributes;
    assert_eq!(attributes["ce-causationid"], order.id.as_str());
    assert_eq!(attributes["ce-correlationid"], order.correlation_id.as_str());
    let expected = EventId::derived(&order.id, "fraud-bridge.settle-scoring", 0);
    assert_eq!(attributes["ce-id"], expected.as_str());
}

#[tokio::test]
async fn a_high_score_flags_the_order_with_its_reasons() {
    let world = World::new().await;
    world.engine_says(Some("HIGH"));
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    assert_eq!(world.settler.settle_due(LATER).await, SETTLED);
    let reasons = vec!["the amount is large".to_owned()];
    let flagged = FraudFlagged { order_id: "o-1".parse().unwrap(), level: RiskLevel::High, reasons };
    assert_eq!(world.bridge.said_facts::<FraudFlagged>(), [flagged]);
    assert_eq!(world.scorings("?status=flagged").await[0]["orderId"], json!("o-1"));
}

#[tokio::test]
async fn an_engine_out_of_reach_is_asked_again_later_and_not_before() {
    let world = World::new().await;
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    let due_at =
        world.bridge.read(|tx| tx.query_opt("SELECT next_attempt_at_ms FROM scorings", &[], |row| row.get_i64(0)));
    let now_ms = due_at.await.unwrap();
    assert_eq!(world.settler.settle_due(now_ms).await, POSTPONED);
    assert_eq!(world.settler.settle_due(now_ms + 999).await, Run::default(), "not within a second");
    let pending = world.scorings("?status=pending").await;
    assert_eq!(pending[0]["attempts"], json!(1));
    assert!(pending[0]["lastError"].as_str().unwrap().contains("503"), "{pending}");
    assert!(world.bridge.said().is_empty());
    world.engine_says(Some("LOW"));
    assert_eq!(world.settler.settle_due(now_ms + 2_000).await, SETTLED);
    assert_eq!(world.scorings("").await[0]["attempts"], json!(2));
}

#[tokio::test]
async fn answers_that_are_no_answers_are_asked_for_again() {
    for nonsense in ["nonsense", "refuse", "UNKNOWN", "SOMETIMES"] {
        let world = World::new().await;
        world.engine_says(Some(nonsense));
        world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
        assert_eq!(world.settler.settle_due(LATER).await, POSTPONED, "{nonsense}");
        assert!(world.bridge.said().is_empty());
        assert_eq!(world.scorings("?status=pending").await[0]["attempts"], json!(1));
    }
}

#[tokio::test]
async fn an_outage_is_not_hammered_and_ends_without_losing_an_order() {
    let world = World::new().await;
    world.given_waiting(60).await;
    // An hour, looked at every half second.
    for run in 0..7_200 {
        world.settler.settle_due(LATER + run * 500).await;
    }
    let asked = world.asked().len();
    assert!((100..250).contains(&asked), "{asked} questions in an hour of outage, and 60 orders wait");
    world.engine_says(Some("LOW"));
    let back = LATER + 7_200 * 500 + 60_000;
    let mut settled = 0;
    for run in 0..2 {
        // Far enough apart for every order's own wait.
        settled += world.settler.settle_due(back + run * 300_000).await.settled;
    }
    assert_eq!(settled, 60);
    assert_eq!(world.asked().len(), asked + 60, "nobody was asked about twice");
    assert_eq!(world.bridge.said_facts::<FraudCleared>().len(), 60);
}

/// Where there is CPU only during requests there is one run a minute.
#[tokio::test]
async fn a_backlog_is_settled_in_one_run_once_the_engine_answers() {
    let world = World::new().await;
    world.given_waiting(500).await;
    assert_eq!(world.settler.settle_due(LATER).await, POSTPONED);
    assert_eq!(world.asked().len(), 1, "whatever waits, an engine that is down is asked once");
    world.engine_says(Some("LOW"));
    let run = world.settler.settle_due(LATER + 300_000).await;
    assert_eq!(run, Run { settled: 500, ..Run::default() });
    assert_eq!((world.asked().len(), world.bridge.said_facts::<FraudCleared>().len()), (501, 500));
    assert!(world.metrics.value("boutique_scorings_oldest_waiting_seconds", &[]).abs() < f64::EPSILON);
}

/// It is down again at the 8th question: the rounds before asked 1, 2 and 4, and the fourth may ask 8.
#[tokio::test]
async fn a_backlog_does_not_bring_down_an_engine_that_is_hardly_back() {
    let world = World::new().await;
    world.given_waiting(500).await;
    world.engine_says(Some("LOW"));
    world.script.lock().unwrap().dies_after = Some(7);
    let run = world.settler.settle_due(LATER).await;
    assert_eq!(run.settled, 7);
    let asked = world.asked().len();
    assert!((8..=15).contains(&asked), "{asked} questions");
    for soon in 1..4 {
        world.settler.settle_due(LATER + soon * 300).await;
    }
    assert_eq!(world.asked().len(), asked, "it is left alone for a while");
}

#[tokio::test]
async fn the_engine_is_told_when_the_order_was_placed_however_late_it_is_asked() {
    let world = World::new().await;
    world.engine_says(Some("LOW"));
    let placed_ms = T0 + 1_234;
    for (order, at_ms) in [("o-1", placed_ms), ("o-2", placed_ms + 86_400_000)] {
        world.bridge.when(&event(confirmed(order, RiskLevel::Unknown)).at(at_ms).seal()).await;
    }
    // Delivered long after, by the machine's clock.
    world.bridge.given(|tx| tx.execute("UPDATE scorings SET next_attempt_at_ms = 0", &[])).await;
    world.settler.settle_due(placed_ms + 3_600_000).await;
    let mut told: Vec<_> = world.asked().iter().map(|each| each["occurredAt"].clone()).collect();
    told.sort_by_key(Value::to_string);
    assert_eq!(
        told,
        ["2026-01-01T00:00:01.234Z", "2026-01-01T01:00:01.234Z"],
        "the second was placed by a clock ahead of ours"
    );
}

#[tokio::test]
async fn the_order_that_waits_longest_is_told_in_the_list_and_the_metrics() {
    let world = World::new().await;
    let name = "boutique_scorings_oldest_waiting_seconds";
    assert!(world.metrics.value(name, &[]).abs() < f64::EPSILON);
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    world.bridge.given(|tx| tx.execute("UPDATE scorings SET created_at_ms = created_at_ms - 7200000", &[])).await;
    world.settler.settle_due(LATER).await;
    let age = world.metrics.value(name, &[]);
    assert!((7_200.0..7_300.0).contains(&age), "{age} s");
    let list = get(&doors(world.bridge.transactor()).open_house(), "/scorings").await.body;
    assert!((7_200_000..7_300_000).contains(&list["oldestWaitingMs"].as_i64().unwrap()), "{list}");
    world.engine_says(Some("LOW"));
    world.settler.settle_due(LATER + 300_000).await;
    world.settler.settle_due(LATER + 600_000).await;
    assert!(world.metrics.value(name, &[]).abs() < f64::EPSILON);
    assert_eq!(
        get(&doors(world.bridge.transactor()).open_house(), "/scorings").await.body["oldestWaitingMs"],
        json!(0)
    );
}

#[tokio::test]
async fn settled_scorings_are_forgotten_after_five_weeks_and_open_ones_never() {
    let world = World::new().await;
    world.engine_says(Some("LOW"));
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    assert_eq!(world.settler.settle_due(LATER).await, SETTLED);
    world.bridge.when(&event(confirmed("o-2", RiskLevel::Unknown)).seal()).await;
    let now_ms = runtime::clock::now_ms();
    world.settler.purge(now_ms + 34 * 86_400_000).await;
    assert_eq!(world.scorings("").await.as_array().unwrap().len(), 2);
    world.settler.purge(now_ms + 36 * 86_400_000).await;
    let left = world.scorings("").await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["status"]), (1, &json!("pending")));
}

#[tokio::test]
async fn two_runs_at_once_say_an_answer_once() {
    let world = World::new().await;
    world.engine_says(Some("LOW"));
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    let runs = tokio::join!(world.settler.settle_due(LATER), world.settler.settle_due(LATER));
    assert_eq!((runs, world.asked().len()), ((SETTLED, SETTLED), 2), "both asked, and neither fell over the other");
    assert_eq!(world.bridge.said().len(), 1);
}

/// The answer is committed and Pub/Sub is out of reach: the fact waits in the outbox and is said once.
#[tokio::test]
async fn an_answer_that_could_not_be_published_is_published_later_and_once() {
    let world = World::new().await;
    world.engine_says(Some("LOW"));
    world.bridge.when(&event(confirmed("o-1", RiskLevel::Unknown)).seal()).await;
    world.bridge.bus().refuse(true);
    assert_eq!(world.settler.settle_due(LATER).await, SETTLED);
    assert_eq!((world.unsent().await, world.bridge.said().len()), (1, 0));
    assert_eq!(world.settler.settle_due(LATER).await, Run::default());
    world.bridge.bus().refuse(false);
    let publisher = world.bridge.transactor().publisher();
    assert!(publisher.relay_once().await.unwrap());
    assert!(publisher.relay_once().await.unwrap());
    assert_eq!(world.bridge.said_facts::<FraudCleared>().len(), 1);
}

#[tokio::test]
async fn the_list_pages_and_refuses_what_is_no_status() {
    let world = World::new().await;
    for n in 0..3 {
        world.bridge.when(&event(confirmed(&format!("o-{n}"), RiskLevel::Unknown)).seal()).await;
    }
    let doors = doors(world.bridge.transactor()).open_house();
    let first = get(&doors, "/scorings?limit=2&status=pending").await.body;
    assert_eq!(first["scorings"].as_array().unwrap().len(), 2);
    let rest = get(&doors, first["next"].as_str().unwrap()).await.body;
    assert_eq!((&rest["scorings"][0]["orderId"], rest.get("next")), (&json!("o-2"), None));
    for query in ["status=lost", "limit=0", "limit=x"] {
        assert_eq!(get(&doors, &format!("/scorings?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_started_service_is_ready_and_its_settings_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Database::Sqlite { path: folder.path().join("fraud-bridge.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let running = service(&base, Config::default()).unwrap().start(base.listen).await.unwrap();
    let peer = Peer::new("fraud-bridge", &format!("http://{}", running.address()), Duration::from_secs(5));
    assert_eq!(peer.get::<Value>("/ready").await.unwrap()["status"], json!("ready"));
    running.stop().await;
    let environment = |value: &str| {
        runtime::config::Environment::of([("BOUTIQUE_FRAUD_BRIDGE_TIMEOUT_MS".to_owned(), value.to_owned())])
    };
    assert!(Config::from_environment(&environment("0")).is_err());
    assert_eq!(Config::from_environment(&environment("70")).unwrap().timeout, Duration::from_millis(70));
}
