//! `boutique stuck` over a real shop: nothing is stuck, then an event that accounting cannot accept is in its dead letters.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use events::billing::InvoiceRequested;
use events::order::OrderConfirmed;
use events::pubsub::Message;
use events::risk::RiskLevel;
use events::{Event, EventId, Fact, Ledger, Money, OrderLine, Origin};
use runtime::{Peer, clock};
use serde_json::{Value, json};

/// Looks this often, this many times.
const PERIOD: Duration = Duration::from_millis(50);
const TIMES: u32 = 1_200;
const ORDER: &str = "stuck-order";
/// What the command's exit code says of stuck orders.
const STUCK: i32 = 3;

/// Kills what a failing test leaves running.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn boutique(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
    command.env("BOUTIQUE_DATA", data).env_remove("DATABASE_URL").args(args);
    command
}

/// A shop whose minutes are short and whose invoices and stock are late after a second.
fn up(data: &Path) -> Process {
    let mut command = boutique(data, &["up", "--ports", "auto", "--quiet"]);
    command
        .env("BOUTIQUE_MINUTE_MS", "200")
        .env("BOUTIQUE_DEADLINE_INVOICE_MS", "1000")
        .env("BOUTIQUE_DEADLINE_STOCK_MS", "1000")
        .stdout(Stdio::null());
    let shop = Process(command.spawn().expect("boutique up"));
    for _ in 0..TIMES {
        if data.join("addresses.json").exists() {
            return shop;
        }
        std::thread::sleep(PERIOD);
    }
    panic!("waited in vain for the shop to be up");
}

fn run(data: &Path, args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = boutique(data, args).output().expect("boutique stuck");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn report(data: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let (code, text) = run(data, args);
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("no report ({error}): {text}"));
    (code, report)
}

/// What checkout would have said about an order; but the total of its invoice is not the sum of its lines, and of its stock there is no word.
fn story() -> Vec<(&'static str, Message)> {
    let order_id: events::OrderId = ORDER.parse().expect("an id");
    let customer_id: events::CustomerId = "john-doe".parse().expect("an id");
    let product_id: events::ProductId = "66VCHSJNUP".parse().expect("an id");
    let ledger = Ledger::Inventory;
    let unit_price = Money::from_minor(1_249);
    let lines = vec![OrderLine { product_id: product_id.clone(), quantity: 1, unit_price: unit_price.clone(), ledger }];
    let confirmed = OrderConfirmed {
        shipping_country: None,
        billing_country: None,
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        lines: lines.clone(),
        discount: Money::zero(),
        total: unit_price,
        risk: RiskLevel::Low,
    };
    let total = Money::from_minor(1);
    let request = InvoiceRequested { order_id, customer_id, lines, discount: Money::zero(), total };
    vec![("order-events", sealed(confirmed.into())), ("billing-events", sealed(request.into()))]
}

fn sealed(event: Event) -> Message {
    let origin = Origin {
        source: "//onlineboutique.com/checkout".to_owned(),
        time: clock::now(),
        correlation_id: None,
        causation_id: None,
        traceparent: None,
    };
    event.seal(EventId::from_uuid(clock::new_id()), &origin).expect("a fact within its bounds").into()
}

async fn publish(data: &Path) {
    let addresses = std::fs::read_to_string(data.join("addresses.json")).expect("addresses");
    let addresses: Value = serde_json::from_str(&addresses).expect("addresses");
    let broker = Peer::new("broker", addresses["broker"].as_str().expect("a URL"), Duration::from_secs(10));
    for (topic, message) in story() {
        let body = json!({ "messages": [{ "attributes": message.attributes, "data": BASE64_STANDARD.encode(&message.data) }] });
        let _: Value =
            broker.post(&format!("/v1/projects/local/topics/{topic}:publish"), &body).await.expect("published");
    }
}

#[tokio::test]
async fn a_stuck_order_is_listed_with_its_dead_letter_and_what_mends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let _shop = up(data);
    let (code, nothing) = report(data, &["stuck", "--json"]);
    assert_eq!((code, &nothing["stuck"], &nothing["orders"]), (Some(0), &json!(0), &json!([])));

    publish(data).await;

    let mut found = Value::Null;
    for _ in 0..TIMES {
        let (code, report) = report(data, &["stuck", "--json"]);
        let waits = report["orders"][0]["waits"].as_array().cloned().unwrap_or_default();
        let is_stuck = |step: &str| waits.iter().any(|wait| wait["step"] == step && wait["stuckSince"].is_string());
        if is_stuck("invoice") && is_stuck("stock:inventory") {
            assert_eq!(code, Some(STUCK));
            found = report;
            break;
        }
        tokio::time::sleep(PERIOD).await;
    }
    assert_eq!((&found["stuck"], &found["orders"][0]["orderId"]), (&json!(1), &json!(ORDER)), "{found:#}");
    let wait = |step: &str| {
        let waits = found["orders"][0]["waits"].as_array().expect("waits");
        waits.iter().find(|wait| wait["step"] == step).cloned().expect("a wait")
    };
    let invoice = wait("invoice");
    assert_eq!((&invoice["owedBy"], &invoice["state"]), (&json!("accounting"), &json!("dead_letter")), "{invoice}");
    assert_eq!((&invoice["consumer"], &invoice["eventType"]), (&json!("accounting"), &json!(InvoiceRequested::TYPE)));
    assert_eq!(invoice["command"], format!("boutique dlq plan --order {ORDER}"));
    let stock = wait("stock:inventory");
    assert_eq!((&stock["owedBy"], &stock["state"]), (&json!("inventory"), &json!("never_said")), "{stock}");

    let (code, table) = run(data, &["stuck"]);
    assert_eq!(code, Some(STUCK));
    for part in [ORDER, "DEAD LETTER of accounting", "1 order is stuck", "boutique dlq plan --order stuck-order"] {
        assert!(table.contains(part), "{part:?} is not in\n{table}");
    }
    let (code, all) = report(data, &["stuck", "--all", "--json"]);
    assert_eq!((code, all["orders"].as_array().map(Vec::len)), (Some(STUCK), Some(1)), "{all:#}");
}
