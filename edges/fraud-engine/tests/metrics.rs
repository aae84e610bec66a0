//! The REST contract.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use fraud_engine::{Config, MIGRATIONS, doors, service};
use runtime::{Base, Consumer, Identity, Peer, clock};
use serde_json::{Value, json};
use store::Database;
use testkit::{Scenario, SimulatedBus, get, post, request};

fn engine() -> (Scenario, Router) {
    let scenario = Scenario::new(Consumer::new("fraud-engine"), MIGRATIONS);
    let router = doors(scenario.transactor(), Config::default()).open_house();
    (scenario, router)
}

#[tokio::test]
async fn the_sample_metric_is_recorded_and_summed_up() {
    let (_kept, engine) = engine();
    let first = json!({ "transactionType": "user_login", "durationMs": 85, "success": true });
    let made = post(&engine, "/metrics", &first).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!((&made.body["transactionType"], &made.body["durationMs"]), (&json!("user_login"), &json!(85)));
    assert_eq!(made.body["success"], json!(true));
    assert!(made.body["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!((&made.body["riskScore"], &made.body["riskPoints"]), (&json!("LOW"), &json!(0)));
    assert_eq!(made.body["reasons"], json!([]));
    post(&engine, "/metrics", &json!({ "transactionType": "checkout", "durationMs": 211.5, "success": false })).await;
    let all = get(&engine, "/metrics").await.body;
    let summary = json!({ "totalTransactions": 2, "successCount": 1, "failureCount": 1, "averageDurationMs": 148.25 });
    assert_eq!(all["summary"], summary);
    assert_eq!(all["data"][0]["durationMs"], json!(211.5), "the newest is first");
    assert_eq!(all["data"][1], made.body);
    assert_eq!(all.get("next"), None);
}

#[tokio::test]
async fn an_empty_engine_averages_nothing() {
    let (_kept, engine) = engine();
    let summary = json!({ "totalTransactions": 0, "successCount": 0, "failureCount": 0, "averageDurationMs": 0 });
    assert_eq!(get(&engine, "/metrics").await.body, json!({ "summary": summary, "data": [] }));
}

#[tokio::test]
async fn metrics_of_the_wrong_form_are_refused_and_not_counted() {
    let (_kept, engine) = engine();
    let bad = [
        r#"{"durationMs":1,"success":true}"#,
        r#"{"transactionType":"t","success":true}"#,
        r#"{"transactionType":"t","durationMs":1}"#,
        r#"{"transactionType":1,"durationMs":1,"success":true}"#,
        r#"{"transactionType":"","durationMs":1,"success":true}"#,
        r#"{"transactionType":"t","durationMs":"1","success":true}"#,
        r#"{"transactionType":"t","durationMs":-1,"success":true}"#,
        r#"{"transactionType":"t","durationMs":1e300,"success":true}"#,
        r#"{"transactionType":"t","durationMs":1e999,"success":true}"#,
        r#"{"transactionType":"t","durationMs":1,"success":"true"}"#,
        r#"{"transactionType":"t","durationMs":1,"success":1}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"orderId":"a b"}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"amountMinor":-1}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"amountMinor":1.5}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"lineCount":-1}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"shippingCountry":"USA"}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"addressHash":""}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"addressHash":"1 Main Street"}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"deviceId":7}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"localHour":24}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"localHour":-1}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"occurredAt":1767225600000}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"occurredAt":"yesterday"}"#,
        r#"{"transactionType":"t","durationMs":1,"success":true,"occurredAt":"2026-01-01"}"#,
        "[]",
        "null",
        "",
        "{",
    ];
    for body in bad {
        let answer = request(&engine, Method::POST, "/metrics", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(get(&engine, "/metrics").await.body["summary"]["totalTransactions"], json!(0));
}

fn order(n: u32, amount_minor: i64) -> Value {
    json!({
        "transactionType": "checkout", "durationMs": 12, "success": true, "orderId": format!("o-{n}"),
        "customerId": "john-doe", "amountMinor": amount_minor, "lineCount": 2,
    })
}

#[tokio::test]
async fn an_order_is_scored_once_and_its_first_score_is_repeated() {
    let (_kept, engine) = engine();
    let first = post(&engine, "/metrics", &order(1, 250_000)).await;
    assert_eq!((&first.body["riskScore"], &first.body["riskPoints"]), (&json!("MEDIUM"), &json!(45)));
    assert_eq!(first.body["reasons"], json!(["the amount is 500.00 or more", "the amount is 2000.00 or more"]));
    let again = post(&engine, "/metrics", &order(1, 100)).await;
    assert_eq!(again, first);
    assert_eq!(get(&engine, "/metrics").await.body["summary"]["totalTransactions"], json!(1));
}

#[tokio::test]
async fn a_foreign_shipping_address_is_high_risk() {
    let (_kept, engine) = engine();
    let mut abroad = order(1, 100);
    abroad["shippingCountry"] = json!("DE");
    abroad["billingCountry"] = json!("US");
    assert_eq!(post(&engine, "/metrics", &abroad).await.body["riskScore"], json!("HIGH"));
}

#[tokio::test]
async fn the_twenty_first_order_of_a_customer_within_ten_minutes_is_odd() {
    let (_kept, engine) = engine();
    for n in 1..=20 {
        assert_eq!(post(&engine, "/metrics", &order(n, 100)).await.body["riskScore"], json!("LOW"), "order {n}");
    }
    let odd = post(&engine, "/metrics", &order(21, 100)).await.body;
    assert_eq!((&odd["riskScore"], &odd["riskPoints"]), (&json!("MEDIUM"), &json!(30)));
    let mut other = order(22, 100);
    other["customerId"] = json!("jane-smith");
    assert_eq!(post(&engine, "/metrics", &other).await.body["riskScore"], json!("LOW"));
}

#[tokio::test]
async fn orders_older_than_ten_minutes_do_not_count() {
    let (scenario, engine) = engine();
    for n in 1..=21 {
        post(&engine, "/metrics", &order(n, 100)).await;
    }
    scenario.given(|tx| tx.execute("UPDATE metrics SET at_ms = at_ms - 600000", &[])).await;
    assert_eq!(post(&engine, "/metrics", &order(22, 100)).await.body["riskScore"], json!("LOW"));
}

/// Milliseconds of a minute, an hour and a day.
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

fn ago(ms: i64) -> Value {
    json!(clock::from_ms(clock::now_ms() - ms))
}

#[tokio::test]
async fn what_happened_up_to_35_days_ago_is_taken_and_what_is_older_or_yet_to_come_is_not() {
    let (_kept, engine) = engine();
    let told = async |at: Value| {
        let metric = json!({ "transactionType": "t", "durationMs": 1, "success": true, "occurredAt": at });
        post(&engine, "/metrics", &metric).await
    };
    for past in [0, 35 * DAY_MS - MINUTE_MS, -4 * MINUTE_MS] {
        let at = ago(past);
        let answer = told(at.clone()).await;
        assert_eq!((answer.status, &answer.body["timestamp"]), (StatusCode::CREATED, &at), "{}", answer.body);
    }
    let outside = [
        ago(35 * DAY_MS + MINUTE_MS),
        ago(-6 * MINUTE_MS),
        json!("0000-01-01T00:00:00.123456789+23:59"),
        json!("9999-12-31T23:59:59-23:59"),
        json!("2026-02-30T00:00:00Z"),
    ];
    for at in outside {
        let answer = told(at.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{at}");
        let named = (&answer.body["code"], &answer.body["errors"][0]["path"]);
        assert_eq!(named, (&json!("occurred_at_out_of_range"), &json!("occurredAt")));
    }
    assert_eq!(get(&engine, "/metrics").await.body["summary"]["totalTransactions"], json!(3));
    assert_eq!(told(Value::Null).await.status, StatusCode::CREATED, "null is as good as absent");
}

/// Orders that nobody could be asked about wait for the engine and are told in one go.
#[tokio::test]
async fn orders_of_an_outage_are_not_many_for_being_told_at_once() {
    let (_kept, engine) = engine();
    for n in 1..=30 {
        let mut late = order(n, 100);
        late["occurredAt"] = ago(i64::from(n) * 11 * MINUTE_MS);
        assert_eq!(post(&engine, "/metrics", &late).await.body["riskScore"], json!("LOW"), "order {n}");
    }
}

#[tokio::test]
async fn many_orders_within_ten_minutes_are_odd_however_late_and_in_whatever_order_they_are_told() {
    let oddities = async |order_of_telling: Vec<u32>| {
        let (_kept, engine) = engine();
        let begin_ms = clock::now_ms() - 3 * HOUR_MS;
        let mut odd = 0;
        for n in order_of_telling {
            let mut late = order(n, 100);
            late["occurredAt"] = json!(clock::from_ms(begin_ms + i64::from(n) * 20_000));
            odd += u32::from(post(&engine, "/metrics", &late).await.body["riskScore"] == json!("MEDIUM"));
        }
        let mut now = order(99, 100);
        now["occurredAt"] = Value::Null;
        assert_eq!(post(&engine, "/metrics", &now).await.body["riskScore"], json!("LOW"), "that was hours ago");
        odd
    };
    // 24 orders, one every 20 s: the first twenty told are not odd yet.
    assert_eq!(oddities((1..=24).collect()).await, 4);
    assert_eq!(oddities((1..=24).rev().collect()).await, 4);
}

#[tokio::test]
async fn pages_lead_from_the_newest_to_the_oldest() {
    let (_kept, engine) = engine();
    for n in 0..5 {
        let metric = json!({ "transactionType": format!("t-{n}"), "durationMs": n, "success": true });
        post(&engine, "/metrics", &metric).await;
    }
    let (mut path, mut seen) = (Some("/metrics?limit=2".to_owned()), Vec::new());
    while let Some(next) = path {
        let page = get(&engine, &next).await.body;
        seen.extend(page["data"].as_array().unwrap().iter().map(|each| each["transactionType"].clone()));
        path = page["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(seen, ["t-4", "t-3", "t-2", "t-1", "t-0"]);
    for query in ["limit=0", "limit=501", "after=x"] {
        assert_eq!(get(&engine, &format!("/metrics?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn what_was_scored_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Database::Sqlite { path: folder.path().join("fraud-engine.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let running = service(&base, Config::default()).unwrap().start(base.listen).await.unwrap();
        let peer = Peer::new("engine", &format!("http://{}", running.address()), Duration::from_secs(5));
        answers.push(peer.post::<_, Value>("/metrics", &order(1, 100)).await.unwrap());
        let summary: Value = peer.get("/metrics").await.unwrap();
        assert_eq!(summary["summary"]["totalTransactions"], json!(1));
        running.stop().await;
    }
    assert_eq!(answers[0], answers[1]);
}
