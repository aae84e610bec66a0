//! Calls behind a guard, over real sockets, through a relay that counts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::guard::{BreakerSettings, BudgetSettings, BulkheadSettings};
use runtime::server::Server;
use runtime::{Deadline, Guard, GuardSettings, Identity, Metrics, Trouble};
use serde_json::Value;
use testkit::{Relay, Wire};
use tokio::net::TcpListener;

/// Longer than anything here takes that does not hang.
const LONG: Duration = Duration::from_secs(30);
const SETTINGS: GuardSettings = GuardSettings {
    deadline: LONG,
    try_timeout: LONG,
    slow: LONG,
    tries: 3,
    bulkhead: BulkheadSettings { calls: 8, waiting: 8, patience: LONG },
    breaker: BreakerSettings {
        window_ms: 60_000,
        minimum_calls: 1_000,
        failure_percent: 50,
        open_ms: 600_000,
        longest_open_ms: 600_000,
        probes: 1,
        probe_ms: 60_000,
    },
    budget: BudgetSettings { percent: 10, floor_per_s: 0, most: 5 },
};

/// `GET /{status}`: the status, or for `flaky` a 500 every other time.
async fn answer(State(asked): State<Arc<AtomicU64>>, Path(what): Path<String>) -> Response {
    let number = asked.fetch_add(1, Ordering::Relaxed);
    match what.as_str() {
        "flaky" if number % 2 == 0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "flaky" => "1".into_response(),
        "nonsense" => "what?".into_response(),
        "huge" => " ".repeat(5 * 1024 * 1024).into_response(),
        status => (StatusCode::from_u16(status.parse().unwrap()).unwrap(), "1").into_response(),
    }
}

struct World {
    guard: Guard,
    relay: Relay,
    metrics: Metrics,
    _server: Server,
}

impl World {
    async fn new(settings: GuardSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = Router::new().route("/{what}", get(answer)).with_state(Arc::default());
        let server = Server::start(listener, doors).unwrap();
        let relay = Relay::before(server.address()).await.unwrap();
        let metrics = Metrics::new("test");
        let url = format!("http://{}", relay.address());
        let guard = Guard::new("edge", &url, settings, &Identity::open_house(), &metrics);
        Self { guard, relay, metrics, _server: server }
    }

    /// What came of a call, in one word.
    async fn ask(&self, what: &str) -> &'static str {
        self.ask_by(what, Deadline::after(LONG)).await
    }

    async fn ask_by(&self, what: &str, deadline: Deadline) -> &'static str {
        match self.guard.get::<Value>(format!("/{what}"), deadline).await {
            Ok(_) => "answered",
            Err(error) => error.trouble().map_or("refused", Trouble::as_str),
        }
    }

    fn counted(&self, outcome: &'static str) -> f64 {
        self.metrics.value("boutique_edge_calls_total", &[("edge", "edge"), ("outcome", outcome)])
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_would_be_the_same_is_not() {
    let world = World::new(SETTINGS).await;
    let mut before = 0;
    for (what, outcome, requests) in [
        ("200", "answered", 1),
        ("flaky", "answered", 1),
        ("flaky", "answered", 2),
        ("500", "failed", 3),
        ("404", "refused", 1),
        ("429", "busy", 1),
        ("nonsense", "nonsense", 1),
        ("huge", "nonsense", 1),
    ] {
        assert_eq!((world.ask(what).await, world.relay.requests() - before), (outcome, requests), "{what}");
        before = world.relay.requests();
    }
    let outcomes = ["answered", "failed", "refused", "busy", "nonsense"].map(|outcome| world.counted(outcome) as u64);
    assert_eq!(outcomes, [3, 1, 1, 1, 2]);
    assert_eq!(world.metrics.value("boutique_edge_tries_total", &[("edge", "edge")]) as u64, before);
    assert_eq!(world.metrics.value("boutique_edge_call_seconds", &[("edge", "edge")]) as u64, 8);
}

#[tokio::test]
async fn an_edge_that_fails_every_call_gets_a_tenth_more_and_what_was_saved_up() {
    let world = World::new(GuardSettings { tries: 10, ..SETTINGS }).await;
    for _ in 0..50 {
        assert_eq!(world.ask("500").await, "failed");
    }
    // 5 saved up, and a tenth of 50 calls; the last tenth may still be in the making.
    let requests = world.relay.requests();
    assert!((50 + 5..=50 + 5 + 5).contains(&requests), "{requests} requests for 50 calls");
    assert!(world.metrics.value("boutique_edge_retries_refused_total", &[("edge", "edge")]) > 0.0);
}

#[tokio::test]
async fn an_edge_that_hangs_is_left_alone_after_a_few_calls_and_found_again_by_a_probe() {
    let breaker = BreakerSettings { minimum_calls: 3, open_ms: 600, longest_open_ms: 600, ..SETTINGS.breaker };
    let hurried = Duration::from_millis(300);
    let world = World::new(GuardSettings { try_timeout: hurried, tries: 1, breaker, ..SETTINGS }).await;
    world.relay.set(Wire::Silent);
    let mut outcomes = Vec::new();
    for _ in 0..50 {
        outcomes.push(world.ask("200").await);
    }
    assert_eq!(outcomes[..3], ["timed_out"; 3]);
    assert!(outcomes[3..].iter().filter(|outcome| **outcome == "breaker_open").count() >= 40, "{outcomes:?}");
    let requests = world.relay.requests();
    assert!((3..10).contains(&requests), "{requests} requests for 50 calls");
    world.relay.set(Wire::Whole);
    let watch = runtime::clock::Stopwatch::start();
    while world.ask("200").await != "answered" {
        assert!(watch.elapsed() < LONG, "the edge is back and nobody notices");
        tokio::task::yield_now().await;
    }
    let state = world.metrics.value("boutique_edge_breaker_state", &[("edge", "edge")]);
    assert!(state.abs() < f64::EPSILON, "{state}");
    for to in ["open", "half_open", "closed"] {
        let labels = [("edge", "edge"), ("to", to)];
        assert!(world.metrics.value("boutique_edge_breaker_transitions_total", &labels) > 0.0, "{to}");
    }
}

#[tokio::test]
async fn refusals_are_answers_and_open_no_breaker() {
    let breaker = BreakerSettings { minimum_calls: 3, ..SETTINGS.breaker };
    let world = World::new(GuardSettings { breaker, ..SETTINGS }).await;
    for _ in 0..5 {
        assert_eq!(world.ask("404").await, "refused");
    }
    for _ in 0..5 {
        assert_eq!(world.ask("429").await, "busy");
    }
    assert_eq!(world.ask("200").await, "breaker_open", "five of ten failed");
}

#[tokio::test]
async fn a_slow_answer_is_used_and_counts_as_a_failure() {
    let breaker = BreakerSettings { minimum_calls: 2, ..SETTINGS.breaker };
    let world = World::new(GuardSettings { slow: Duration::ZERO, breaker, ..SETTINGS }).await;
    let outcomes = [world.ask("200").await, world.ask("200").await, world.ask("200").await];
    assert_eq!(outcomes, ["answered", "answered", "breaker_open"]);
}

#[tokio::test]
async fn more_calls_than_the_bulkhead_holds_are_refused_at_once() {
    let bulkhead = BulkheadSettings { calls: 2, waiting: 0, patience: LONG };
    let world = Arc::new(World::new(GuardSettings { bulkhead, ..SETTINGS }).await);
    world.relay.set(Wire::Silent);
    let hanging: Vec<_> = (0..2)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.ask("200").await })
        })
        .collect();
    let in_use = || world.metrics.value("boutique_edge_bulkhead_in_use", &[("edge", "edge")]) as u64;
    while in_use() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.ask("200").await, "bulkhead_full");
    for call in hanging {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    assert_eq!(in_use(), 0);
    world.relay.set(Wire::Whole);
    assert_eq!(world.ask("200").await, "answered");
}

#[tokio::test]
async fn nothing_is_asked_after_the_deadline_and_no_try_outlives_it() {
    let world = World::new(SETTINGS).await;
    assert_eq!(world.ask_by("200", Deadline::after(Duration::ZERO)).await, "too_late");
    assert_eq!(world.relay.requests(), 0);
    world.relay.set(Wire::Silent);
    assert_eq!(world.ask_by("200", Deadline::after(Duration::from_millis(200))).await, "timed_out");
    assert_eq!(world.relay.requests(), 1, "and no time was left for another");
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_lets_another_go() {
    let breaker = BreakerSettings { minimum_calls: 1, open_ms: 1, longest_open_ms: 1, ..SETTINGS.breaker };
    let world = World::new(GuardSettings { breaker, tries: 1, ..SETTINGS }).await;
    assert_eq!(world.ask("500").await, "failed");
    tokio::time::sleep(Duration::from_millis(5)).await;
    world.relay.set(Wire::Silent);
    let gone = tokio::time::timeout(Duration::from_millis(200), world.ask("200")).await;
    assert!(gone.is_err(), "the probe hangs: {gone:?}");
    world.relay.set(Wire::Whole);
    assert_eq!(world.ask("200").await, "answered");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_connection_and_is_tried_again() {
    let world = World::new(SETTINGS).await;
    world.relay.set(Wire::CutAfter(20));
    assert_eq!(world.ask("200").await, "unreachable");
    assert_eq!(world.relay.requests(), 3);
}
