//! How fast 10,000 letters come back on the embedded broker: plan, ramp, replay, every service in this process.
//!
//! A measurement, not a test of the gate: `cargo test --release -p boutique-tests --test replay_speed -- --ignored --nocapture`
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use boutique_tests::{Shop, eventually};
use bus::Outgoing;
use events::Fact;
use events::billing::InvoiceRequested;
use runtime::clock::{self, Stopwatch};
use serde_json::{Value, json};

const LETTERS: usize = 10_000;
/// Messages published at a time.
const BATCH: usize = 500;

/// An invoice that somebody wants for an order of its own.
fn requested(number: usize) -> Outgoing {
    let order = format!("speed-{number}");
    let money = |units: i64| json!({ "currencyCode": "USD", "units": units, "nanos": 0 });
    let line = json!({ "productId": "66VCHSJNUP", "quantity": 1, "unitPrice": money(10), "ledger": "inventory" });
    let data = json!({ "orderId": order, "customerId": "john-doe", "lines": [line], "discount": money(0), "total": money(10) });
    let attributes = [
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", format!("speed-{number}")),
        ("ce-source", "//onlineboutique.com/checkout".to_owned()),
        ("ce-type", InvoiceRequested::TYPE.to_owned()),
        ("ce-subject", format!("orders/{order}")),
        ("ce-time", clock::now().to_string()),
        ("ce-partitionkey", order),
        ("ce-correlationid", format!("speed-{number}")),
    ];
    Outgoing {
        topic: InvoiceRequested::TOPIC.name().to_owned(),
        ordering_key: String::new(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>(),
        data: data.to_string().into_bytes().into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn ten_thousand_letters_come_back_at_a_thousand_a_second() {
    let mut shop = Shop::open().await;
    shop.open_ops().await;
    let ops = shop.peer("ops");
    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", Some("illegal_state")).await;
    let watch = Stopwatch::start();
    for batch in 0..LETTERS / BATCH {
        let messages = (0..BATCH).map(|at| requested(batch * BATCH + at)).collect();
        for answer in shop.bus().publish(messages).await {
            answer.unwrap();
        }
    }
    eventually("every letter to be kept", async || {
        let groups: Value = ops.get("/groups?consumer=accounting").await.map_err(|error| error.to_string())?;
        if groups["groups"][0]["count"] == LETTERS { Ok(()) } else { Err(groups.to_string()) }
    })
    .await;
    println!("{LETTERS} events died and were kept in {:.1} s", watch.elapsed().as_secs_f64());

    shop.deploy("accounting", "BOUTIQUE_ACCOUNTING_FAIL", None).await;
    let watch = Stopwatch::start();
    let wanted = json!({ "filter": { "consumer": "accounting" }, "by": "ada" });
    let ops_patient = shop.patient_peer("ops", std::time::Duration::from_secs(600));
    let plan: Value = ops_patient.post_once("/plans?limit=1", &wanted).await.unwrap();
    println!("planned in {:.1} s", watch.elapsed().as_secs_f64());
    assert_eq!(plan["predictions"], json!({ "applied": LETTERS }));

    let watch = Stopwatch::start();
    let order = json!({ "plan": plan["plan"], "by": "ada", "why": "to know how long it takes", "ratePerSecond": 10_000, "ramp": [1, 5, 20, 100] });
    let replay: Value = ops.post_once("/replays", &order).await.unwrap();
    let path = format!("/replays/{}", replay["replayId"].as_str().unwrap());
    let done = eventually("the replay to end", async || {
        let replay: Value = ops.get(&path).await.map_err(|error| error.to_string())?;
        if replay["state"] == "running" { Err(replay["messages"].to_string()) } else { Ok(replay) }
    })
    .await;
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(LETTERS)));
    println!("replayed in {seconds:.1} s: {:.0} letters a second, the ramp included", LETTERS as f64 / seconds);
    shop.close().await;
}
