//! What the engine learns from what it is told, and forgets.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use axum::Router;
use fraud_engine::{Config, MIGRATIONS, doors, purge};
use runtime::Consumer;
use serde_json::{Value, json};
use testkit::{Scenario, get, post};

struct Engine {
    scenario: Scenario,
    doors: Router,
    orders: u32,
}

impl Engine {
    fn new() -> Self {
        let scenario = Scenario::new(Consumer::new("fraud-engine"), MIGRATIONS);
        let doors = doors(scenario.transactor(), Config::default()).open_house();
        Self { scenario, doors, orders: 0 }
    }

    /// Scores the next order: points and reasons.
    async fn order(&mut self, customer: &str, amount_minor: i64, more: Value) -> (u64, Vec<String>) {
        self.orders += 1;
        let mut body = json!({
            "transactionType": "checkout", "durationMs": 12, "success": true, "orderId": format!("o-{}", self.orders),
            "customerId": customer, "amountMinor": amount_minor, "lineCount": 2,
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = post(&self.doors, "/metrics", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let reasons = answer.body["reasons"].as_array().unwrap().iter();
        (answer.body["riskPoints"].as_u64().unwrap(), reasons.map(|each| each.as_str().unwrap().to_owned()).collect())
    }

    async fn end(&self, order: &str, kind: &str) -> Value {
        let body = json!({ "transactionType": kind, "durationMs": 90_000, "success": kind == "order.completed", "orderId": order });
        let answer = post(&self.doors, "/metrics", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.scenario.read(|tx| tx.query_opt(sql, &[], |row| row.get_i64(0))).await.unwrap()
    }
}

#[tokio::test]
async fn an_amount_unlike_the_customer_s_own_is_odd_and_does_not_become_usual_by_being_refused() {
    let mut engine = Engine::new();
    for _ in 0..6 {
        assert_eq!(engine.order("john-doe", 4_000, json!({})).await.0, 0);
    }
    let far = engine.order("john-doe", 30_000, json!({})).await;
    assert_eq!(far, (20, vec!["the amount is far above what the customer usually spends".to_owned()]));
    assert_eq!(engine.order("jane-smith", 30_000, json!({})).await.0, 0, "nothing is known of her");
    // Refused orders teach nothing: however often, it stays odd.
    for _ in 0..5 {
        let abroad = json!({ "shippingCountry": "DE", "billingCountry": "US" });
        assert_eq!(engine.order("john-doe", 300_000, abroad).await.0, 60 + 45 + 20);
    }
    assert_eq!(engine.order("john-doe", 300_000, json!({})).await.0, 45 + 20);
}

#[tokio::test]
async fn an_amount_unlike_the_shop_s_is_odd_once_the_shop_has_a_measure() {
    let mut engine = Engine::new();
    for n in 0..200 {
        engine.order(&format!("c-{n}"), 4_000, json!({})).await;
    }
    let far = engine.order("new", 30_000, json!({})).await;
    assert_eq!(far, (10, vec!["the amount is far above what customers usually spend".to_owned()]));
}

#[tokio::test]
async fn many_customers_at_one_address_are_odd_and_many_orders_of_one_are_not() {
    let mut engine = Engine::new();
    let address = json!({ "addressHash": "9f86d081884c7d659a2feaa0c55ad015" });
    for _ in 0..10 {
        assert_eq!(engine.order("john-doe", 1_000, address.clone()).await.0, 0);
    }
    let odd = engine.order("jane-smith", 1_000, address.clone()).await;
    assert_eq!(odd.0, 30);
    assert_eq!(odd.1, ["other customers placed unusually many orders to this address within 10 minutes"]);
    assert_eq!(engine.order("jane-smith", 1_000, json!({ "addressHash": "other" })).await.0, 0);
    let hour = "UPDATE metrics SET at_ms = at_ms - 3600000";
    engine.scenario.given(move |tx| tx.execute(hour, &[])).await;
    assert_eq!(engine.order("kim", 1_000, address).await.0, 0, "ten minutes are over");
}

/// What waited for the end of an outage is judged, and remembered, by the hour it was placed at.
#[tokio::test]
async fn the_hour_is_the_one_the_order_was_placed_at_and_so_is_the_habit() {
    const HOUR_MS: i64 = 3_600_000;
    let mut engine = Engine::new();
    let now_ms = runtime::clock::now_ms();
    let at = |hours_ago: i64| json!({ "occurredAt": runtime::clock::from_ms(now_ms - hours_ago * HOUR_MS) });
    // Half a day away from the hour it is now, whichever that is.
    for day in 1..=10 {
        assert_eq!(engine.order("john-doe", 1_000, at(12 + 24 * day)).await.0, 0, "day {day}");
    }
    let as_usual = engine.order("john-doe", 1_000, at(12)).await;
    assert_eq!(as_usual, (0, vec![]), "told half a day late");
    let odd = engine.order("john-doe", 1_000, json!({})).await;
    assert_eq!(odd, (15, vec!["the customer has never ordered at this time of day".to_owned()]));
    let hours = "SELECT hours FROM customers WHERE customer_id = 'john-doe'";
    let hours = engine.scenario.read(move |tx| tx.query_opt(hours, &[], |row| row.get_text(0))).await.unwrap();
    let counts: Vec<u32> = hours.split(',').map(|count| count.parse().unwrap()).collect();
    let of = |ms: i64| counts[usize::try_from(ms.div_euclid(HOUR_MS).rem_euclid(24)).unwrap()];
    assert_eq!((of(now_ms - 12 * HOUR_MS), counts.iter().sum::<u32>()), (11, 12));
}

#[tokio::test]
async fn a_second_device_is_new_and_one_that_many_use_is_shared() {
    let mut engine = Engine::new();
    let device = |name: &str| json!({ "deviceId": name });
    assert_eq!(engine.order("john-doe", 1_000, device("a")).await.0, 0, "somebody's first");
    assert_eq!(engine.order("john-doe", 1_000, device("a")).await.0, 0);
    let new = engine.order("john-doe", 1_000, device("b")).await;
    assert_eq!(new, (10, vec!["the device is new for the customer".to_owned()]));
    assert_eq!(engine.order("john-doe", 1_000, device("b")).await.0, 0);
    for n in 0..3 {
        assert_eq!(engine.order(&format!("c-{n}"), 1_000, device("a")).await.0, 0);
    }
    let shared = engine.order("c-9", 1_000, device("a")).await;
    assert_eq!(shared, (30, vec!["many customers use the device".to_owned()]));
    // A device for every order fills no table.
    for n in 0..40 {
        engine.order("collector", 1_000, device(&format!("d-{n}"))).await;
    }
    assert_eq!(engine.count("SELECT COUNT(*) FROM devices WHERE customer_id = 'collector'").await, 20);
}

#[tokio::test]
async fn an_order_cancelled_as_fraud_follows_its_customer() {
    let mut engine = Engine::new();
    engine.order("john-doe", 1_000, json!({})).await;
    engine.end("o-1", "order.cancelled").await;
    assert_eq!(engine.order("john-doe", 1_000, json!({})).await.0, 0);
    let first = engine.end("o-2", "order.fraud_confirmed").await;
    assert_eq!((&first["riskScore"], &first["orderId"]), (&json!("LOW"), &json!("o-2")));
    assert_eq!(engine.end("o-2", "order.fraud_confirmed").await, first, "told twice it is known once");
    assert_eq!(engine.count("SELECT frauds FROM customers WHERE customer_id = 'john-doe'").await, 1);
    let odd = engine.order("john-doe", 1_000, json!({})).await;
    assert_eq!(odd, (40, vec!["an earlier order of the customer was cancelled as fraud".to_owned()]));
    assert_eq!(engine.order("jane-smith", 1_000, json!({})).await.0, 0);
}

#[tokio::test]
async fn a_regular_s_usual_amount_is_not_odd_for_its_size() {
    let mut engine = Engine::new();
    for n in 1..=10 {
        assert_eq!(engine.order("john-doe", 70_000, json!({})).await.0, 30, "order {n}");
        engine.end(&format!("o-{n}"), "order.completed").await;
        engine.end(&format!("o-{n}"), "order.completed").await;
    }
    assert_eq!(engine.count("SELECT completed FROM customers WHERE customer_id = 'john-doe'").await, 10);
    assert_eq!(engine.order("john-doe", 75_000, json!({})).await.0, 0);
}

#[tokio::test]
async fn ends_of_orders_are_in_the_summary_and_the_data() {
    let mut engine = Engine::new();
    engine.order("john-doe", 1_000, json!({})).await;
    engine.end("o-1", "order.completed").await;
    engine.end("o-77", "order.cancelled").await;
    let all = get(&engine.doors, "/metrics").await.body;
    assert_eq!(all["summary"]["totalTransactions"], json!(3));
    assert_eq!((&all["summary"]["successCount"], &all["summary"]["failureCount"]), (&json!(2), &json!(1)));
    let kinds: Vec<_> = all["data"].as_array().unwrap().iter().map(|each| each["transactionType"].clone()).collect();
    assert_eq!(kinds, ["order.cancelled", "order.completed", "checkout"]);
    assert_eq!(all["data"][1]["orderId"], json!("o-1"));
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_forgotten_and_the_totals_stay() {
    let mut engine = Engine::new();
    for n in 0..1_200 {
        engine.order(&format!("c-{}", n % 3), 1_000, json!({ "deviceId": "a" })).await;
    }
    let now_ms = runtime::clock::now_ms();
    let transactor = engine.scenario.transactor().clone();
    let day_ms = 86_400_000;
    assert_eq!(purge(&transactor, Config::default(), now_ms + 89 * day_ms).await.unwrap(), 0);
    assert_eq!(purge(&transactor, Config::default(), now_ms + 91 * day_ms).await.unwrap(), 1_200 + 3 + 3);
    let left =
        "SELECT (SELECT COUNT(*) FROM metrics) + (SELECT COUNT(*) FROM customers) + (SELECT COUNT(*) FROM devices)";
    assert_eq!(engine.count(left).await, 0);
    assert_eq!(get(&engine.doors, "/metrics").await.body["summary"]["totalTransactions"], json!(1_200));
}
