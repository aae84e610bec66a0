//! The fraud engine: a summary of transactions, and a score for each.

use boutique_tests::Shop;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly, is_now};

#[tokio::test]
async fn transactions_are_recorded_scored_and_summed_up() {
    let shop = Shop::open().await;
    let engine = Client::of(&shop, "fraud-engine").await;
    let empty = engine.get("/metrics").await.told(200);
    has_exactly(&empty, &["summary", "data"]);
    assert_eq!((&empty["summary"]["totalTransactions"], &empty["data"]), (&json!(0), &json!([])));

    let checkout = json!({ "transactionType": "checkout", "durationMs": 150, "success": true });
    let made = engine.post("/metrics", checkout.clone()).await.told(201);
    for (field, value) in checkout.as_object().expect("an object") {
        assert_eq!(&made[field], value);
    }
    is_now(&made["timestamp"]);
    assert!(["LOW", "MEDIUM", "HIGH"].map(Value::from).contains(&made["riskScore"]), "{made}");
    let login = json!({ "transactionType": "user_login", "durationMs": 85, "success": false });
    engine.post("/metrics", login).await.told(201);

    let metrics = engine.get("/metrics").await.told(200);
    let summary = json!({ "totalTransactions": 2, "successCount": 1, "failureCount": 1, "averageDurationMs": 117.5 });
    assert_eq!(metrics["summary"], summary);
    let data = metrics["data"].as_array().expect("an array");
    assert_eq!(data.len(), 2);
    for field in ["transactionType", "durationMs", "success", "timestamp"] {
        assert!(data.iter().all(|metric| !metric[field].is_null()), "{field}");
    }
    shop.close().await;
}

#[tokio::test]
async fn an_invalid_payload_structure_or_data_type_is_400() {
    let shop = Shop::open().await;
    let engine = Client::of(&shop, "fraud-engine").await;
    let good = json!({ "transactionType": "checkout", "durationMs": 150, "success": true });
    let wrong = [
        ("transactionType", json!("")),
        ("transactionType", json!(5)),
        ("durationMs", json!("150")),
        ("durationMs", json!(-1)),
        ("success", json!("true")),
        ("success", Value::Null),
    ];
    for (field, value) in wrong {
        let mut body = good.clone();
        body[field] = value;
        engine.post("/metrics", body).await.at_fault(field);
    }
    for missing in ["transactionType", "durationMs", "success"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(missing);
        engine.post("/metrics", body).await.refused(400, "invalid_field");
    }
    engine.post("/metrics", json!([])).await.refused(400, "invalid_field");
    assert_eq!(engine.get("/metrics").await.body["summary"]["totalTransactions"], 0);
    shop.close().await;
}
