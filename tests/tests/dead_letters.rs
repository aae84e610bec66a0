//! Dead letters and their replay through every real part: services, ops, the official Pub/Sub client; on the embedded broker, and on
//! Google's emulator where it is installed.
#![allow(clippy::unwrap_used)]

use boutique_tests::{Shop, eventually};
use serde_json::{Value, json};
use testkit::Emulator;

const LENS: &str = "66VCHSJNUP";

async fn ops_get(shop: &Shop, path: &str) -> Result<Value, String> {
    shop.peer("ops").get(path).await.map_err(|error| error.to_string())
}

/// Orders that wait for their invoice, which a bad deployment of accounting cannot issue.
async fn break_accounting(shop: &mut Shop, orders: usize) -> Vec<String> {
    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", Some("illegal_state")).await;
    let mut ids = Vec::new();
    for _ in 0..orders {
        let placed = shop.place("john-doe", &[(LENS, 1)]).await;
        ids.push(placed["orderId"].as_str().unwrap().to_owned());
    }
    eventually("every letter to be kept", async || {
        let groups = ops_get(shop, "/groups?consumer=accounting").await?;
        if groups["groups"][0]["count"] == orders { Ok(()) } else { Err(groups.to_string()) }
    })
    .await;
    ids
}

/// Plans and replays all of accounting's letters, and waits for the end.
async fn replay(shop: &Shop) -> Value {
    let ops = shop.peer("ops");
    let plan = json!({ "filter": { "consumer": "accounting" }, "by": "ada" });
    let plan: Value = ops.post_once("/plans", &plan).await.unwrap();
    assert_eq!(plan["predictions"], json!({ "applied": plan["letters"] }));
    let order = json!({ "plan": plan["plan"], "by": "ada", "why": "mended", "ratePerSecond": 10_000, "ramp": [1, 2] });
    let replay: Value = ops.post_once("/replays", &order).await.unwrap();
    let path = format!("/replays/{}", replay["replayId"].as_str().unwrap());
    eventually("the replay to end", async || {
        let replay = ops_get(shop, &path).await?;
        if replay["state"] == "running" { Err(replay.to_string()) } else { Ok(replay) }
    })
    .await
}

async fn there_and_back(mut shop: Shop) {
    shop.open_ops().await;
    let orders = break_accounting(&mut shop, 6).await;
    let letters = ops_get(&shop, "/letters").await.unwrap();
    let letter = letters["letters"][0]["letterId"].as_str().unwrap();
    let shown = ops_get(&shop, &format!("/letters/{letter}")).await.unwrap();
    let services = shown["timeline"].as_array().unwrap().iter().filter(|part| !part["story"].is_null()).count();
    assert!(services >= 7, "the timeline is of every service: {shown}");
    assert_eq!(shown["attempts"][0]["code"], "illegal_state");

    // Ops is gone for a while, and comes back to what it knew.
    shop.stop("ops").await;
    shop.open_ops().await;
    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", None).await;
    let done = replay(&shop).await;
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(6)));
    for order in &orders {
        shop.wait(order, "completed").await;
        let invoice: Value = shop.peer("accounting").get(&format!("/invoices/{order}")).await.unwrap();
        assert_eq!(invoice["status"], "issued");
    }
    // Nobody but accounting was given anything.
    for consumer in ["oms", "crm", "inventory", "warehouse"] {
        let groups = ops_get(&shop, &format!("/groups?consumer={consumer}")).await.unwrap();
        assert_eq!(groups, json!({ "groups": [] }), "{consumer}");
    }
    shop.close().await;
}

#[tokio::test]
async fn letters_are_kept_planned_and_replayed_on_the_embedded_broker() {
    there_and_back(Shop::open().await).await;
}

#[tokio::test]
async fn letters_are_kept_planned_and_replayed_on_googles_emulator() {
    let Some(emulator) = Emulator::start().await else { return };
    there_and_back(Shop::open_on(&emulator.host).await).await;
}
