//! Goods that come back, or do not.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use std::time::Duration;

use axum::http::StatusCode;
use events::fulfillment::{
    FulfillmentRequested, InspectedLine, ReturnClosed, ReturnOutcome, ReturnReceived, ReturnRequested,
};
use events::states::returns::State;
use events::{Encoded, Envelope, Ledger};
use runtime::Outcome;
use serde_json::{Value, json};
use support::*;
use testkit::{Answer, event, get, post};
use warehouse::Delays;

const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

async fn expecting(products: &[&str]) -> House {
    let house = House::new(Delays::NONE).await;
    for event in [requested(products), return_requested(products)] {
        assert!(matches!(house.scenario.when(&event).await, Outcome::Handled(_)));
    }
    house
}

async fn receive(house: &House, body: &Value) -> Answer {
    post(&house.doors, "/returns/return-1/received", body).await
}

fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{:?}", answer.body);
}

async fn lapse(house: &House, after: Duration) {
    // The request is dated by its event.
    let now_ms = testkit::T0 + i64::try_from(after.as_millis()).unwrap();
    warehouse::lapse(house.scenario.transactor(), PATIENCE, now_ms).await;
}

fn finding(product: &str, restocked: u32, scrapped: u32, damaged: u32, missing: u32) -> Value {
    json!({ "productId": product, "restocked": restocked, "scrapped": scrapped, "damaged": damaged, "missing": missing })
}

#[tokio::test]
async fn an_inspection_says_what_may_be_sold_again_and_what_became_of_the_rest() {
    let house = expecting(&["LAMP", "CUP", "FURN-1"]).await;
    let found =
        json!({ "lines": [finding("LAMP", 1, 1, 0, 0), finding("CUP", 0, 0, 1, 1), finding("FURN-1", 0, 2, 0, 0)] });
    let answer = receive(&house, &found).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("received")));
    let [parcel]: [ReturnReceived; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(parcel.ledger, Ledger::Inventory);
    assert_eq!((parcel.lines.len(), parcel.lines[0].quantity), (1, 1), "only what may be sold again");
    assert_eq!(parcel.scrapped.iter().map(|line| line.quantity).collect::<Vec<_>>(), [1, 1]);
    let [closed]: [ReturnClosed; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(closed.outcome, ReturnOutcome::Received);
    let cup = InspectedLine { restocked: 0, scrapped: 0, damaged: 1, missing: 1, ..closed.lines[1].clone() };
    assert_eq!((closed.lines.len(), &closed.lines[1]), (3, &cup));

    assert_eq!(receive(&house, &found).await, answer, "the same again");
    assert_eq!(receive(&house, &Value::Null).await, answer, "and without saying what");
    let other =
        json!({ "lines": [finding("LAMP", 2, 0, 0, 0), finding("CUP", 2, 0, 0, 0), finding("FURN-1", 2, 0, 0, 0)] });
    is_problem(&receive(&house, &other).await, StatusCode::CONFLICT, "already_received");
    assert_eq!(house.scenario.said_facts::<ReturnClosed>().len(), 1);
}

#[tokio::test]
async fn an_inspection_accounts_for_every_unit_or_is_refused() {
    let house = expecting(&["LAMP", "FURN-1"]).await;
    let cases = [
        (json!({ "lines": [] }), "lines"),
        (json!({ "lines": [finding("LAMP", 2, 0, 0, 0)] }), "lines"),
        (json!({ "lines": [finding("LAMP", 1, 0, 0, 0), finding("FURN-1", 2, 0, 0, 0)] }), "lines[0]"),
        (json!({ "lines": [finding("LAMP", 2, 0, 0, 0), finding("LAMP", 2, 0, 0, 0)] }), "lines[1].productId"),
        (
            json!({ "lines": [finding("LAMP", 2, 0, 0, 0), finding("FURN-1", 2, 0, 0, 0), finding("MUG", 0, 0, 0, 0)] }),
            "lines[2].productId",
        ),
        (json!({ "lines": [finding("LAMP", u32::MAX, u32::MAX, 0, 0), finding("FURN-1", 2, 0, 0, 0)] }), "lines[0]"),
        (json!({ "lines": "all" }), "lines"),
    ];
    for (body, path) in cases {
        let answer = receive(&house, &body).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_field");
        let named = answer.body["errors"][0]["path"].as_str().unwrap();
        assert!(named.starts_with(path), "{named} for {body}");
    }
    assert_eq!(house.scenario.said_facts::<ReturnClosed>(), []);
    assert_eq!(get(&house.doors, "/returns/return-1").await.body["status"], "expected");
}

#[tokio::test]
async fn a_return_that_never_comes_lapses_once_and_not_early() {
    let house = expecting(&["LAMP", "FURN-1"]).await;
    lapse(&house, PATIENCE - Duration::from_millis(1)).await;
    assert_eq!(house.scenario.said_facts::<ReturnClosed>(), []);
    tokio::join!(lapse(&house, PATIENCE), lapse(&house, PATIENCE));
    lapse(&house, PATIENCE * 2).await;
    let [closed]: [ReturnClosed; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(closed.outcome, ReturnOutcome::Lapsed);
    assert!(closed.lines.iter().all(|line| line.missing == 2 && line.restocked == 0));
    assert_eq!(house.scenario.said_facts::<ReturnReceived>(), []);
    let last = house.scenario.said().pop().unwrap();
    assert_eq!(last.attributes["ce-causationid"], return_requested(&["LAMP", "FURN-1"]).id.as_str());
}

#[tokio::test]
async fn goods_that_come_after_their_return_lapsed_are_taken_in_and_inspected_once() {
    let house = expecting(&["LAMP", "FURN-1"]).await;
    lapse(&house, PATIENCE).await;
    let found = json!({ "lines": [finding("LAMP", 1, 0, 0, 1), finding("FURN-1", 0, 2, 0, 0)] });
    let answer = receive(&house, &found).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("received")));
    assert_eq!(receive(&house, &found).await, answer, "the same again");
    lapse(&house, PATIENCE * 2).await;
    let outcomes: Vec<ReturnOutcome> =
        house.scenario.said_facts::<ReturnClosed>().iter().map(|closed| closed.outcome).collect();
    assert_eq!(outcomes, [ReturnOutcome::Lapsed, ReturnOutcome::Received]);
    assert_eq!(house.scenario.said_facts::<ReturnReceived>().len(), 1);
    assert_eq!(get(&house.doors, "/returns/return-1").await.body["status"], "received");
}

#[tokio::test]
async fn a_return_whose_id_another_one_has_is_a_dead_letter_and_the_same_again_is_not() {
    let house = expecting(&["LAMP"]).await;
    let same = house.scenario.when(&said_by_oms(ORDER, &["LAMP"], 2)).await;
    assert!(matches!(same, Outcome::Handled(_)), "{same:?}");
    let request = FulfillmentRequested { order_id: "order-2".parse().unwrap(), ..request(&["LAMP"]) };
    house.scenario.when(&event(request).from("oms").seal()).await;
    for event in [said_by_oms("order-2", &["LAMP"], 3), said_by_oms(ORDER, &["CUP"], 4)] {
        let outcome = house.scenario.when(&event).await;
        assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
    }
    assert_eq!(get(&house.doors, "/returns/return-1").await.body["orderId"], ORDER);
}

/// The return `return-1` of an order, as the event of that number.
fn said_by_oms(order_id: &str, products: &[&str], number: u32) -> Envelope<Encoded> {
    let fact = ReturnRequested {
        order_id: order_id.parse().unwrap(),
        return_id: "return-1".parse().unwrap(),
        lines: products.iter().map(|id| line(id)).collect(),
        reason: "does not fit".to_owned(),
    };
    event(fact).from("oms").number(number).seal()
}

#[tokio::test]
async fn what_came_does_not_lapse() {
    let house = expecting(&["LAMP"]).await;
    assert_eq!(receive(&house, &Value::Null).await.status, StatusCode::OK);
    lapse(&house, PATIENCE * 2).await;
    assert_eq!(get(&house.doors, "/returns/return-1").await.body["status"], State::Received.as_str());
    assert_eq!(house.scenario.said_facts::<ReturnClosed>().len(), 1);
}

/// Goods at the door at the moment the warehouse stops waiting: they are received, before it stops or after it.
#[tokio::test]
async fn goods_that_come_at_the_last_moment_are_received_once() {
    for _ in 0..10 {
        let house = expecting(&["LAMP"]).await;
        let (answer, ()) = tokio::join!(receive(&house, &Value::Null), lapse(&house, PATIENCE));
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let closed: Vec<ReturnClosed> = house.scenario.said_facts();
        let outcomes: Vec<ReturnOutcome> = closed.iter().map(|closed| closed.outcome).collect();
        let lapsed_before = [ReturnOutcome::Lapsed, ReturnOutcome::Received];
        assert!(outcomes == lapsed_before[1..] || outcomes == lapsed_before, "{outcomes:?}");
        assert_eq!(house.scenario.said_facts::<ReturnReceived>().len(), 1);
    }
}
