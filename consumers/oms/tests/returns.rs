//! Goods sent back, shipments that never arrived, and what is paid back for them.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use axum::Router;
use axum::http::StatusCode;
use events::billing::{RefundIssued, RefundRequested};
use events::fulfillment::{ReturnRequested, ShipmentDelivered};
use events::order::{CancellationReason, OrderCancelled, OrderCompleted};
use events::risk::RiskLevel;
use events::{Encoded, Envelope, Ledger, Money};
use oms::Config;
use runtime::{Identity, Outcome};
use serde_json::{Value, json};
use support::*;
use testkit::{Answer, Scenario, event, get, post};

/// Long after every delivery, and before any window is over: the doors read the real clock.
fn config() -> Config {
    Config { return_window: std::time::Duration::from_secs(3_650 * 24 * 60 * 60), ..Config::default() }
}

fn doors_with(shop: &Scenario, config: &Config) -> Router {
    oms::doors(shop.transactor().clone(), config, &Identity::open_house()).open_house()
}

fn doors(shop: &Scenario) -> Router {
    doors_with(shop, &config())
}

/// An order of both ledgers, of which these arrived.
async fn delivered_from(shop: &Scenario, ledgers: &[Ledger]) {
    let opening = [
        confirmed_order(ORDER, &Ledger::ALL, RiskLevel::Low),
        committed_for(ORDER, Ledger::Inventory),
        committed_for(ORDER, Ledger::Furniture),
        invoiced(),
    ];
    hear_all(shop, &opening).await;
    for ledger in ledgers {
        hear_all(shop, &[dispatched(*ledger), delivered(*ledger, LATER)]).await;
    }
}

async fn ask(doors: &Router, return_id: &str, lines: &[(&str, u32)]) -> Answer {
    let lines: Vec<Value> =
        lines.iter().map(|(product, quantity)| json!({ "productId": product, "quantity": quantity })).collect();
    let body = json!({ "returnId": return_id, "lines": lines, "reason": "does_not_fit" });
    post(doors, "/orders/order-1/returns", &body).await
}

fn refunded(asked: &RefundRequested) -> Envelope<Encoded> {
    let fact = RefundIssued {
        order_id: asked.order_id.clone(),
        customer_id: "jane-smith".parse().unwrap(),
        refund_id: asked.refund_id.clone(),
        credit_note_id: "credit-note-1".parse().unwrap(),
        amount: asked.amount.clone(),
    };
    event(fact).from("accounting").seal()
}

fn is_refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{:?}", answer.body);
}

async fn order(shop: &Scenario) -> Value {
    get(&doors(shop), "/orders/order-1").await.body
}

#[tokio::test]
async fn a_return_is_asked_for_once_inspected_and_paid_back_to_the_cent() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    assert_eq!(status(&shop).await, "completed");
    let doors = doors(&shop);
    let first = ask(&doors, "r-1", &[("66VCHSJNUP", 1)]).await;
    assert_eq!((first.status, &first.body["status"]), (StatusCode::CREATED, &json!("expected")));
    let again = ask(&doors, "r-1", &[("66VCHSJNUP", 1)]).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
    is_refused(&ask(&doors, "r-1", &[("66VCHSJNUP", 2)]).await, StatusCode::CONFLICT, "return_conflict");
    let [asked]: [ReturnRequested; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!((asked.lines[0].quantity, asked.lines[0].ledger), (1, Ledger::Inventory));

    let closed = return_closed("r-1", Ledger::Inventory, [0, 1, 0, 0]);
    hear_all(&shop, std::slice::from_ref(&closed)).await;
    assert_eq!(shop.when(&closed).await, Outcome::Duplicate);
    let [refund]: [RefundRequested; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!((refund.amount.clone(), refund.shipment_id.clone()), (Money::from_minor(1_249), None));
    assert_eq!(order(&shop).await["returns"][0]["status"], "received");
    hear_all(&shop, &[refunded(&refund)]).await;
    let shown = order(&shop).await;
    assert_eq!(shown["returns"][0]["status"], "refunded");
    assert_eq!(shown["returns"][0]["refund"], json!(Money::from_minor(1_249)));
    assert_eq!(shown["status"], "completed", "the rest stays with the customer");
    assert_eq!(shop.said_facts::<RefundRequested>().len(), 1, "whatever comes afterwards");
}

#[tokio::test]
async fn an_order_is_returned_when_everything_that_arrived_came_back() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let doors = doors(&shop);
    ask(&doors, "r-1", &[("66VCHSJNUP", 2)]).await;
    ask(&doors, "r-2", &[("FURN-1", 2)]).await;
    hear_all(&shop, &[return_closed("r-2", Ledger::Furniture, [2, 0, 0, 0])]).await;
    assert_eq!(status(&shop).await, "completed");
    hear_all(&shop, &[return_closed("r-1", Ledger::Inventory, [2, 0, 0, 0])]).await;
    assert_eq!(status(&shop).await, "returned");
    let refunds: Vec<RefundRequested> = shop.said_facts();
    assert_eq!(refunds.iter().map(|refund| refund.amount.minor().unwrap()).sum::<i64>(), 4_996);
    is_refused(&ask(&doors, "r-3", &[("FURN-1", 1)]).await, StatusCode::CONFLICT, "already_returned");
    is_refused(&post(&doors, "/orders/order-1/cancel", &json!({})).await, StatusCode::CONFLICT, "order_completed");
}

#[tokio::test]
async fn only_what_was_delivered_lately_and_is_not_on_its_way_back_may_be_returned() {
    let shop = shop();
    delivered_from(&shop, &[Ledger::Inventory]).await;
    let lenient = doors(&shop);
    is_refused(&ask(&lenient, "r-1", &[("FURN-1", 1)]).await, StatusCode::CONFLICT, "not_delivered");
    is_refused(&ask(&lenient, "r-1", &[("66VCHSJNUP", 3)]).await, StatusCode::CONFLICT, "not_delivered");
    is_refused(&ask(&lenient, "r-1", &[("MUG", 1)]).await, StatusCode::CONFLICT, "not_in_order");
    let strict = doors_with(&shop, &Config { return_window: std::time::Duration::ZERO, ..config() });
    is_refused(&ask(&strict, "r-1", &[("66VCHSJNUP", 1)]).await, StatusCode::CONFLICT, "return_window_over");
    assert_eq!(ask(&lenient, "r-1", &[("66VCHSJNUP", 1)]).await.status, StatusCode::CREATED);
    is_refused(&ask(&lenient, "r-2", &[("66VCHSJNUP", 2)]).await, StatusCode::CONFLICT, "already_returned");
    assert_eq!(ask(&lenient, "r-2", &[("66VCHSJNUP", 1)]).await.status, StatusCode::CREATED);
    assert_eq!(shop.said_facts::<ReturnRequested>().len(), 2);
}

#[tokio::test]
async fn a_return_that_never_came_lapses_and_may_be_asked_for_again() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let doors = doors(&shop);
    ask(&doors, "r-1", &[("66VCHSJNUP", 2)]).await;
    hear_all(&shop, &[return_lapsed("r-1", Ledger::Inventory, 2)]).await;
    assert_eq!(order(&shop).await["returns"][0]["status"], "lapsed");
    assert_eq!(shop.said_facts::<RefundRequested>(), []);
    assert_eq!(ask(&doors, "r-2", &[("66VCHSJNUP", 2)]).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_the_customer_damaged_is_paid_by_the_policy_of_the_day_it_was_asked_for() {
    for (percent, owed) in [(0, None), (40, Some(499)), (100, Some(1_249))] {
        let shop = shop();
        delivered_from(&shop, &Ledger::ALL).await;
        let then = doors_with(&shop, &Config { damaged_refund_percent: percent, ..config() });
        ask(&then, "r-1", &[("66VCHSJNUP", 1)]).await;
        hear_all(&shop, &[return_closed("r-1", Ledger::Inventory, [0, 0, 1, 0])]).await;
        let refunds: Vec<RefundRequested> = shop.said_facts();
        assert_eq!(refunds.first().map(|refund| refund.amount.minor().unwrap()), owed, "{percent} %");
        let expected = if owed.is_some() { "received" } else { "declined" };
        assert_eq!(order(&shop).await["returns"][0]["status"], expected);
    }
}

/// A name the client chose, or an idempotency key, is the client's own: another order may have the same.
#[tokio::test]
async fn two_orders_may_have_returns_of_one_name_and_each_has_an_id_of_its_own() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let other = "order-2";
    let shipped = ShipmentDelivered {
        order_id: other.parse().unwrap(),
        shipment_id: "shipment-2".parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: vec![line("66VCHSJNUP", Ledger::Inventory).stock()],
    };
    let life = [
        confirmed_order(other, &[Ledger::Inventory], RiskLevel::Low),
        committed_for(other, Ledger::Inventory),
        invoiced_for(other),
        event(shipped).from("warehouse").at(LATER).seal(),
    ];
    hear_all(&shop, &life).await;
    let body = json!({
        "returnId": "r-1", "lines": [{ "productId": "66VCHSJNUP", "quantity": 1 }], "reason": "other",
    });
    for order_id in [ORDER, other] {
        let path = format!("/orders/{order_id}/returns");
        let first = post(&doors(&shop), &path, &body).await;
        assert_eq!((first.status, &first.body["returnId"]), (StatusCode::CREATED, &json!(return_of(order_id, "r-1"))));
        assert_eq!(post(&doors(&shop), &path, &body).await.body, first.body, "the same name in the same order");
        let by_id = json!({ "returnId": first.body["returnId"], "lines": body["lines"], "reason": "other" });
        assert_eq!(post(&doors(&shop), &path, &by_id).await.body, first.body, "the id that was answered");
    }
    let asked: Vec<ReturnRequested> = shop.said_facts();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].return_id, asked[1].return_id);
}

/// Whoever asks for return after return and sends nothing does not use up what granted returns are settled with.
#[tokio::test]
async fn returns_end_somewhere_and_one_that_was_granted_is_paid_all_the_same() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let doors = doors(&shop);
    assert_eq!(ask(&doors, "kept", &[("66VCHSJNUP", 2)]).await.status, StatusCode::CREATED);
    let mut number = 0;
    let refused = loop {
        let name = format!("r-{number}");
        let answer = ask(&doors, &name, &[("FURN-1", 1)]).await;
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        hear_all(&shop, &[return_closed(&name, Ledger::Furniture, [0, 0, 0, 1])]).await;
        number += 1;
    };
    is_refused(&refused, StatusCode::CONFLICT, "too_many_returns");
    assert!(number > 100, "{number}");
    assert_eq!(ask(&doors, "kept", &[("66VCHSJNUP", 2)]).await.status, StatusCode::OK, "the same again is no more");

    hear_all(&shop, &[return_closed("kept", Ledger::Inventory, [2, 0, 0, 0])]).await;
    let [refund]: [RefundRequested; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(refund.amount, Money::from_minor(2_498));
    hear_all(&shop, &[refunded(&refund)]).await;
    assert_eq!(order(&shop).await["returns"][0]["status"], "refunded");
}

#[tokio::test]
async fn goods_that_come_after_their_return_lapsed_are_paid_in_whatever_order_it_is_heard() {
    for late_word in [false, true] {
        let shop = shop();
        delivered_from(&shop, &Ledger::ALL).await;
        let doors = doors(&shop);
        ask(&doors, "r-1", &[("66VCHSJNUP", 2)]).await;
        let mut words =
            [return_lapsed("r-1", Ledger::Inventory, 2), return_closed("r-1", Ledger::Inventory, [2, 0, 0, 0])];
        if late_word {
            words.reverse();
        }
        hear_all(&shop, &words).await;
        let [refund]: [RefundRequested; 1] = shop.said_facts().try_into().unwrap();
        assert_eq!(refund.amount, Money::from_minor(2_498));
        assert_eq!(order(&shop).await["returns"][0]["status"], "received");
        is_refused(&ask(&doors, "r-2", &[("66VCHSJNUP", 1)]).await, StatusCode::CONFLICT, "already_returned");
        hear_all(&shop, &[refunded(&refund)]).await;
        assert_eq!(order(&shop).await["returns"][0]["status"], "refunded");
    }
}

#[tokio::test]
async fn goods_asked_for_anew_and_received_under_both_returns_are_paid_once() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let doors = doors(&shop);
    ask(&doors, "r-1", &[("66VCHSJNUP", 2)]).await;
    hear_all(&shop, &[return_lapsed("r-1", Ledger::Inventory, 2)]).await;
    ask(&doors, "r-2", &[("66VCHSJNUP", 1)]).await;
    let inspected =
        [return_closed("r-2", Ledger::Inventory, [1, 0, 0, 0]), return_closed("r-1", Ledger::Inventory, [2, 0, 0, 0])];
    hear_all(&shop, &inspected).await;
    let refunds: Vec<RefundRequested> = shop.said_facts();
    assert_eq!(refunds.iter().map(|refund| refund.amount.minor().unwrap()).collect::<Vec<_>>(), [1_249, 1_249]);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_a_return_and_one_of_both_is_needed() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let doors = doors(&shop);
    let body = json!({ "lines": [{ "productId": "FURN-1", "quantity": 1 }], "reason": "other" });
    is_refused(
        &post(&doors, "/orders/order-1/returns", &body).await,
        StatusCode::BAD_REQUEST,
        "missing_idempotency_key",
    );
    let mut ids = Vec::new();
    for key in ["key-1", "key-1", "key-2"] {
        let request = axum::http::Request::post("/orders/order-1/returns")
            .header("idempotency-key", key)
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let response = tower::ServiceExt::oneshot(doors.clone(), request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        ids.push(answer["returnId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_eq!(shop.said_facts::<ReturnRequested>().len(), 2);
}

#[tokio::test]
async fn hostile_returns_are_refused_by_name_of_the_field() {
    let shop = shop();
    delivered_from(&shop, &Ledger::ALL).await;
    let line = json!({ "productId": "FURN-1", "quantity": 1 });
    let cases = [
        (json!(null), ""),
        (json!({}), ""),
        (json!({ "returnId": "no id", "lines": [line], "reason": "other" }), "returnId"),
        (json!({ "returnId": "r", "lines": [line], "reason": "call me at home" }), "reason"),
        (json!({ "returnId": "r", "lines": [], "reason": "other" }), "lines"),
        (json!({ "returnId": "r", "lines": [line, line], "reason": "other" }), "lines[1].productId"),
        (
            json!({ "returnId": "r", "lines": [{ "productId": "FURN-1", "quantity": 0 }], "reason": "other" }),
            "lines[0].quantity",
        ),
        (
            json!({ "returnId": "r", "lines": [{ "productId": "FURN-1", "quantity": -1 }], "reason": "other" }),
            "lines[0].quantity",
        ),
    ];
    for (body, path) in cases {
        let answer = post(&doors(&shop), "/orders/order-1/returns", &body).await;
        is_refused(&answer, StatusCode::BAD_REQUEST, "invalid_field");
        let named = answer.body["errors"][0]["path"].as_str().unwrap();
        assert!(named.starts_with(path), "{named} for {body}");
    }
    is_refused(
        &post(
            &doors(&shop),
            "/orders/order-9/returns",
            &json!({ "returnId": "r", "lines": [line], "reason": "other" }),
        )
        .await,
        StatusCode::NOT_FOUND,
        "not_found",
    );
    assert_eq!(shop.said_facts::<ReturnRequested>(), []);
}

#[tokio::test]
async fn a_shipment_that_never_arrived_is_paid_back_once_and_the_rest_completes_the_order() {
    let shop = shop();
    delivered_from(&shop, &[]).await;
    hear_all(&shop, &[dispatched(Ledger::Inventory), dispatched(Ledger::Furniture), lost(Ledger::Furniture)]).await;
    assert_eq!(shop.when(&lost(Ledger::Furniture)).await, Outcome::Duplicate);
    let [refund]: [RefundRequested; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(refund.amount, Money::from_minor(2_498));
    assert_eq!(refund.shipment_id.unwrap().as_str(), "shipment-furniture");
    assert_eq!(order(&shop).await["waitingFor"], json!(["delivery:inventory"]));
    hear_all(&shop, &[delivered(Ledger::Inventory, LATER)]).await;
    assert_eq!((shop.said_facts::<OrderCompleted>().len(), status(&shop).await.as_str()), (1, "completed"));
    // The goods of the lost shipment come back by themselves, and nobody is paid for them twice.
    hear_all(&shop, &[return_closed("of-the-shipment", Ledger::Furniture, [2, 0, 0, 0])]).await;
    assert_eq!(shop.said_facts::<RefundRequested>().len(), 1);
    is_refused(&ask(&doors(&shop), "r-1", &[("FURN-1", 1)]).await, StatusCode::CONFLICT, "not_delivered");
}

#[tokio::test]
async fn an_order_of_which_nothing_arrived_is_cancelled() {
    let shop = shop();
    delivered_from(&shop, &[]).await;
    hear_all(&shop, &[lost(Ledger::Furniture), dispatched(Ledger::Inventory), lost(Ledger::Inventory)]).await;
    let [cancelled]: [OrderCancelled; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(cancelled.reason, CancellationReason::Undeliverable);
    assert_eq!(status(&shop).await, "cancelled");
}
