//! The story of `docs/on-call.md`, as told there: a bad deployment of accounting, 500 letters, a replay that stops itself, the fix, the
//! rest; then the books add up and the trail says who did what.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use boutique_tests::{Shop, eventually};
use futures::{StreamExt, stream};
use runtime::Peer;
use serde_json::{Value, json};

const LENS: &str = "66VCHSJNUP";
const ORDERS: usize = 500;
/// Orders placed side by side.
const SIDE_BY_SIDE: usize = 8;

async fn rest(ops: &Peer, replay: &str) -> Value {
    let path = format!("/replays/{replay}");
    eventually("the replay to rest", async || {
        let replay: Value = ops.get(&path).await.map_err(|error| error.to_string())?;
        if replay["state"] == "running" { Err(replay["messages"].to_string()) } else { Ok(replay) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_letters_of_a_bad_deployment_come_back_and_the_books_add_up() {
    let mut shop = Shop::open().await;
    shop.open_ops().await;
    let ops = shop.peer("ops");
    let stocked = json!({ "stockLevel": 100_000 });
    let _: Value = shop.peer("inventory").put(&format!("/inventory/{LENS}"), &stocked).await.unwrap();

    // A bad deployment. Orders are confirmed all the same.
    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", Some("illegal_state")).await;
    let place = |_| async { shop.place("john-doe", &[(LENS, 1)]).await["orderId"].as_str().unwrap().to_owned() };
    let orders: Vec<String> = stream::iter(0..ORDERS).map(place).buffer_unordered(SIDE_BY_SIDE).collect().await;

    // 1. List: one cause, 500 letters.
    let group = eventually("500 letters", async || {
        let found: Value = ops.get("/groups?state=open").await.map_err(|error| error.to_string())?;
        if found["groups"][0]["count"] == ORDERS { Ok(found) } else { Err(found.to_string()) }
    })
    .await;
    assert_eq!(group["groups"].as_array().unwrap().len(), 1, "{group}");
    let cause = &group["groups"][0];
    assert_eq!((&cause["consumer"], &cause["code"]), (&json!("accounting"), &json!("illegal_state")));
    assert_eq!(cause["types"], json!(["com.onlineboutique.billing.invoice_requested.v1"]));

    // 2. Show one.
    let letters: Value = ops.get("/letters?consumer=accounting&limit=1").await.unwrap();
    let letter = letters["letters"][0]["letterId"].as_str().unwrap();
    let shown: Value = ops.get(&format!("/letters/{letter}")).await.unwrap();
    assert_eq!(shown["attempts"][0]["code"], "illegal_state");
    assert!(
        shown["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .any(|part| part["service"] == "checkout" && !part["story"].is_null())
    );

    // 3. Plan: the defect is still there, and the plan says so.
    let wanted = json!({ "filter": { "consumer": "accounting" }, "by": "ada" });
    let plan: Value = ops.post_once("/plans", &wanted).await.unwrap();
    assert_eq!(plan["predictions"], json!({ "illegal_state": ORDERS }));

    // 4. Replay what the plan doubts: the ramp tries one and stops itself.
    let order = json!({ "plan": plan["plan"], "by": "ada", "why": "told that 1.4.3 is out", "include": ["illegal_state"],
                        "ratePerSecond": 2_000 });
    let replay: Value = ops.post_once("/replays", &order).await.unwrap();
    let replay = replay["replayId"].as_str().unwrap().to_owned();
    let stopped = rest(&ops, &replay).await;
    assert_eq!(stopped["state"], "stopped");
    let expected = json!({ "waiting": ORDERS - 1, "published": 0, "handled": 0, "failed": 1, "skipped": 0 });
    assert_eq!(stopped["messages"], expected);

    // 5. Mend it and go on.
    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", None).await;
    let resume = json!({ "by": "grace", "why": "1.4.3 is out now, seen in the log" });
    let _: Value = ops.post_once(&format!("/replays/{replay}/resume"), &resume).await.unwrap();
    let done = rest(&ops, &replay).await;
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(ORDERS)), "{done}");

    // 6. Everything is in order: every order ends with one invoice, the ledger balances, no letter is open.
    let oms = shop.peer("oms");
    eventually("every order to complete", async || {
        let census: BTreeMap<String, usize> = oms.get("/orders/summary").await.map_err(|error| error.to_string())?;
        if census["completed"] == ORDERS { Ok(()) } else { Err(format!("{census:?}")) }
    })
    .await;
    let accounting = shop.peer("accounting");
    for order in &orders {
        let invoice: Value = accounting.get(&format!("/invoices/{order}")).await.unwrap();
        assert_eq!((&invoice["status"], &invoice["revenueRecognized"]), (&json!("issued"), &invoice["total"]));
    }
    let balance: Value = accounting.get("/ledger/trial-balance").await.unwrap();
    assert_eq!(balance["debit"], balance["credit"]);
    let left: Value = ops.get("/groups?state=open").await.unwrap();
    assert_eq!(left, json!({ "groups": [] }));

    let trail: Value = ops.get("/audit").await.unwrap();
    let told: Vec<String> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["by"].as_str().unwrap(), entry["action"].as_str().unwrap()))
        .collect();
    assert_eq!(told, ["ada plan", "ada replay", "ops stopped", "grace resume", "ops finished"]);
    assert_eq!(trail["entries"][3]["why"], "1.4.3 is out now, seen in the log");
    shop.close().await;
}
