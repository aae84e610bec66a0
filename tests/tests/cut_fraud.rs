//! The way to the fraud engine is cut, and comes back: orders are confirmed in time, nothing ships unscored, all go on.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use boutique_tests::{Shop, eventually};
use bytes::Bytes;
use http::Method;
use runtime::clock::Stopwatch;
use serde_json::{Value, json};
use testkit::Wire;

const MUG: &str = "LS4PSXUNUM";
/// Orders before the way is cut: the slowest of them is the measure for those that follow. So few that the breaker, which counts them too,
/// opens after as many failures.
const BEFORE: u64 = MINIMUM_CALLS;
/// Orders while the way is cut.
const ORDERS: usize = 40;
/// What checkout is told of its edges. A busy machine meets these times when nothing is wrong.
const EDGE_MS: u64 = 5_000;
const FRAUD_MS: u64 = 1_000;
/// Calls after which the breaker may open.
const MINIMUM_CALLS: u64 = 5;
/// What a busy machine may add to an order besides. Together with the fraud engine's time far less than the other edges' time, so that an
/// order that waits for the engine as for one of them is too slow.
const ALLOWANCE: Duration = Duration::from_secs(1);

/// A line of a service's page of metrics.
async fn metric(shop: &Shop, service: &'static str, line: &str) -> u64 {
    let (status, page) = shop.peer(service).raw(Method::GET, "/-/metrics", Bytes::new()).await.unwrap();
    assert_eq!(status, 200);
    let page = String::from_utf8(page.to_vec()).unwrap();
    let value = page.lines().find_map(|each| each.strip_prefix(line)).unwrap_or_else(|| panic!("{line} in\n{page}"));
    value.trim().parse::<f64>().unwrap() as u64
}

async fn tries(shop: &Shop) -> u64 {
    metric(shop, "checkout", "boutique_edge_tries_total{service=\"checkout\",edge=\"fraud-engine\"}").await
}

async fn open_shop() -> Shop {
    let text = |number: u64| number.to_string();
    let (edge, fraud, calls) = (text(EDGE_MS), text(FRAUD_MS), text(MINIMUM_CALLS));
    Shop::open_relayed(&[
        ("BOUTIQUE_EDGE_TIMEOUT_MS", &edge),
        ("BOUTIQUE_FRAUD_TIMEOUT_MS", &fraud),
        ("BOUTIQUE_BREAKER_MINIMUM_CALLS", &calls),
        ("BOUTIQUE_BREAKER_OPEN_MS", "5000"),
    ])
    .await
}

/// Places an order; the answer, and how long it took.
async fn timed(shop: &Shop) -> (Value, Duration) {
    let watch = Stopwatch::start();
    let placed = shop.place("john-doe", &[(MUG, 1)]).await;
    (placed, watch.elapsed())
}

async fn through_a_cut(wire: Wire) {
    let shop = open_shop().await;
    let mut usual = Duration::ZERO;
    for _ in 0..BEFORE {
        let (before, took) = timed(&shop).await;
        assert_ne!(before["risk"], "UNKNOWN", "the way is open");
        usual = usual.max(took);
    }

    shop.relay().set(wire);
    let tries_before = tries(&shop).await;
    let mut orders = Vec::new();
    let mut slowest = Duration::ZERO;
    for _ in 0..ORDERS {
        let (placed, took) = timed(&shop).await;
        assert_eq!(placed["risk"], "UNKNOWN", "{placed}");
        orders.push(placed["orderId"].as_str().unwrap().to_owned());
        slowest = slowest.max(took);
    }
    // With fewer than a hundred orders the slowest is the 99th percentile.
    let budget = usual + Duration::from_millis(FRAUD_MS) + ALLOWANCE;
    assert!(slowest <= budget, "{slowest:?} of {budget:?}, usually {usual:?}");
    // What makes later orders fast: they do not ask. The breaker opens when half of the calls of 10 s failed, those before the cut
    // among them; afterwards there is a probe now and then.
    let asked = tries(&shop).await - tries_before;
    assert!(asked > MINIMUM_CALLS / 2, "{asked} tries");
    assert!(asked <= MINIMUM_CALLS + 5, "{asked} tries for {ORDERS} orders");
    let opened = "boutique_edge_breaker_transitions_total{service=\"checkout\",edge=\"fraud-engine\",to=\"open\"}";
    assert!(metric(&shop, "checkout", opened).await >= 1);

    waits_for_nothing_but_its_risk(&shop, &orders).await;
    for order_id in &orders {
        let shipments: Value = shop.peer("warehouse").get(&format!("/shipments?orderId={order_id}")).await.unwrap();
        assert_eq!(shipments["shipments"], json!([]), "{order_id} shipped without a score");
    }
    let pending: Value = shop.peer("fraud-bridge").get("/scorings?status=pending").await.unwrap();
    assert_eq!(pending["scorings"].as_array().unwrap().len(), ORDERS);
    assert!(pending["oldestWaitingMs"].as_i64().unwrap() > 0, "{pending}");

    shop.relay().set(Wire::Whole);
    for order_id in &orders {
        shop.wait(order_id, "completed").await;
    }
    let pending: Value = shop.peer("fraud-bridge").get("/scorings?status=pending").await.unwrap();
    assert_eq!((&pending["scorings"], &pending["oldestWaitingMs"]), (&json!([]), &json!(0)));
    shop.close().await;
}

async fn waits_for_nothing_but_its_risk(shop: &Shop, orders: &[String]) {
    let oms = shop.peer("oms");
    for order_id in orders {
        let path = format!("/orders/{order_id}");
        eventually("the order to wait for nothing but its risk", async || {
            let order: Value = oms.get(&path).await.map_err(|error| error.to_string())?;
            if order["waitingFor"] == json!(["risk"]) { Ok(()) } else { Err(order.to_string()) }
        })
        .await;
    }
}

#[tokio::test]
async fn refused_connections_leave_orders_unscored_and_in_time_and_all_go_on_afterwards() {
    through_a_cut(Wire::Refused).await;
}

#[tokio::test]
async fn a_network_that_drops_everything_leaves_orders_unscored_and_in_time_and_all_go_on_afterwards() {
    through_a_cut(Wire::Silent).await;
}

/// What the engine learns, it learns from the bridge: over the same link, and after an outage of it too.
#[tokio::test]
async fn the_engine_is_told_how_orders_ended_once_the_way_is_open() {
    let shop = open_shop().await;
    shop.relay().set(Wire::Refused);
    let first = shop.place("john-doe", &[(MUG, 1)]).await;
    shop.relay().set(Wire::Whole);
    let second = shop.place("john-doe", &[(MUG, 1)]).await;
    for order in [&first, &second] {
        let order_id = order["orderId"].as_str().unwrap();
        shop.wait(order_id, "completed").await;
        eventually("the engine to know that the order is completed", async || {
            let all: Value = shop.peer("fraud-engine").get("/metrics?limit=100").await.map_err(|e| e.to_string())?;
            let ends = all["data"].as_array().unwrap().iter().filter(|each| {
                each["orderId"] == order_id && each["transactionType"] == "order.completed" && each["success"] == true
            });
            if ends.count() == 1 { Ok(()) } else { Err(all.to_string()) }
        })
        .await;
    }
    shop.close().await;
}
