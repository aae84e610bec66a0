//! What carriers report, in any order, late and twice; and every step of a shipment that the table does not have.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use axum::http::StatusCode;
use events::fulfillment::{ReturnClosed, ReturnReceived, ShipmentDelivered, ShipmentDispatched, ShipmentFailed};
use events::states::shipment::{MACHINE, State, Trigger};
use events::{Ledger, Timestamp};
use serde_json::{Value, json};
use support::*;
use testkit::{Answer, get, post};
use warehouse::{Carrier, Delays};

/// Packed at once, carried by a partner who says how it goes.
const PARTNER: Delays = Delays { dispatch_ms: 0, deliver_ms: 0, carrier: Carrier::Partner };

fn at(offset_s: i64) -> Timestamp {
    Timestamp::from_second(runtime::clock::now_ms() / 1_000 + offset_s).unwrap()
}

/// The shipment from one ledger, as the doors show it.
async fn shipment(house: &House, ledger: Ledger) -> Value {
    let all = get(&house.doors, "/shipments?orderId=order-1").await.body;
    let found = all["shipments"].as_array().unwrap().iter().find(|one| one["ledger"] == ledger.as_str()).unwrap();
    get(&house.doors, &format!("/shipments/{}", found["shipmentId"].as_str().unwrap())).await.body
}

async fn report(house: &House, status: &str, reference: &str, at: Timestamp) -> Answer {
    tell(house, json!({ "status": status, "reference": reference, "at": at, "place": "Depot 7" })).await
}

async fn tell(house: &House, body: Value) -> Answer {
    let id = shipment(house, Ledger::Inventory).await["shipmentId"].as_str().unwrap().to_owned();
    post(&house.doors, &format!("/shipments/{id}/tracking"), &body).await
}

fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{:?}", answer.body);
}

async fn shipped(delays: Delays) -> House {
    let house = House::new(delays).await;
    let outcome = house.scenario.when(&requested(&["LAMP"])).await;
    assert!(matches!(outcome, runtime::Outcome::Handled(_)), "{outcome:?}");
    house
}

#[tokio::test]
async fn a_partners_word_delivers_and_the_same_word_again_changes_nothing() {
    let house = shipped(PARTNER).await;
    house.progress(i64::from(u32::MAX)).await;
    assert_eq!(house.statuses().await, ["dispatched"], "nobody but the partner says that it is there");
    let now = at(0);
    for (status, reference) in [("picked_up", "a"), ("delivered", "c"), ("delivered", "c"), ("out_for_delivery", "b")] {
        let answer = report(&house, status, reference, now).await;
        assert_eq!(answer.status, StatusCode::OK, "{status} {:?}", answer.body);
    }
    assert_eq!(house.scenario.said_facts::<ShipmentDelivered>().len(), 1);
    let shown = shipment(&house, Ledger::Inventory).await;
    assert_eq!((&shown["status"], shown["tracking"].as_array().unwrap().len()), (&json!("delivered"), 3));
    assert_eq!(shown["deliveredAt"], json!(now));
    is_problem(&report(&house, "failed", "c", now).await, StatusCode::CONFLICT, "reference_conflict");
}

#[tokio::test]
async fn a_failed_delivery_is_tried_once_more_under_another_number() {
    let house = shipped(PARTNER).await;
    let first = shipment(&house, Ledger::Inventory).await["trackingNumber"].clone();
    for _ in 0..2 {
        assert_eq!(report(&house, "failed", "f-1", at(0)).await.status, StatusCode::OK);
    }
    let shown = shipment(&house, Ledger::Inventory).await;
    assert_eq!((&shown["status"], &shown["attempt"]), (&json!("dispatched"), &json!(2)));
    assert_ne!(shown["trackingNumber"], first);
    let [once, again]: [ShipmentDispatched; 2] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!((once.attempt, again.attempt), (None, Some(2)));
    assert_eq!((once.shipment_id, once.lines), (again.shipment_id.clone(), again.lines.clone()));
    assert_eq!(json!(again.tracking_number), shown["trackingNumber"]);

    // The first carrier's later words are about a delivery that is over.
    let late = json!({ "status": "returned_to_sender", "reference": "f-2", "at": at(5), "trackingNumber": first });
    assert_eq!(tell(&house, late).await.status, StatusCode::OK);
    assert_eq!(report(&house, "returned_to_sender", "f-3", at(-3_600)).await.status, StatusCode::OK);
    assert_eq!(shipment(&house, Ledger::Inventory).await["status"], "dispatched");
    assert_eq!(report(&house, "delivered", "d", at(5)).await.status, StatusCode::OK);
    assert_eq!(shipment(&house, Ledger::Inventory).await["status"], "delivered");
    assert_eq!(house.scenario.said_facts::<ShipmentFailed>(), []);
}

#[tokio::test]
async fn a_second_failure_gives_the_shipment_up_and_expects_its_goods_back() {
    let house = shipped(PARTNER).await;
    report(&house, "failed", "f-1", at(0)).await;
    for _ in 0..2 {
        assert_eq!(report(&house, "failed", "f-2", at(5)).await.status, StatusCode::OK);
    }
    assert_eq!(house.statuses().await, ["failed"]);
    let [failed]: [ShipmentFailed; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(
        (failed.code.as_str(), failed.ledger, failed.lines.len()),
        ("undeliverable", Some(Ledger::Inventory), 1)
    );
    let returns = get(&house.doors, "/returns?orderId=order-1").await.body;
    let expected = &returns["returns"][0];
    assert_eq!((&expected["status"], &expected["expected"][0]["quantity"]), (&json!("expected"), &json!(2)));

    let path = format!("/returns/{}/received", expected["returnId"].as_str().unwrap());
    let found = json!({ "lines": [{ "productId": "LAMP", "restocked": 1, "missing": 1 }] });
    for _ in 0..2 {
        assert_eq!(post(&house.doors, &path, &found).await.status, StatusCode::OK);
    }
    let [back]: [ReturnReceived; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(back.lines[0].quantity, 1);
    assert_eq!(house.scenario.said_facts::<ReturnClosed>().len(), 1);
}

#[tokio::test]
async fn our_own_timers_go_on_unless_a_report_says_otherwise() {
    let house = shipped(SLOW).await;
    house.progress(3_700_000).await;
    assert_eq!(report(&house, "failed", "f-1", at(0)).await.status, StatusCode::OK);
    assert_eq!(house.statuses().await, ["retrying"]);
    house.progress(7_400_000).await;
    assert_eq!(house.statuses().await, ["dispatched"]);
    house.progress(11_100_000).await;
    assert_eq!(house.statuses().await, ["delivered"]);
    assert_eq!(house.said(), ["shipment_created", "shipment_dispatched", "shipment_dispatched", "shipment_delivered"]);
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused_by_name() {
    let house = shipped(PARTNER).await;
    let good = json!({ "status": "in_transit", "reference": "a", "at": at(0) });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let cases = [
        (json!(null), ""),
        (with("status", json!("lost")), "status"),
        (with("reference", json!("no id")), "reference"),
        (with("at", json!("yesterday")), "at"),
        (with("at", json!("2999-01-01T00:00:00Z")), "at"),
        (with("place", json!("x".repeat(201))), "place"),
    ];
    for (body, path) in cases {
        let answer = tell(&house, body.clone()).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "invalid_field");
        let named = answer.body["errors"][0]["path"].as_str().unwrap();
        assert!(named.starts_with(path), "{named} for {body}");
    }
    let foreign = with("trackingNumber", json!("OB0000000000000000"));
    is_problem(&tell(&house, foreign).await, StatusCode::UNPROCESSABLE_ENTITY, "unknown_tracking_number");
    let nowhere = post(&house.doors, "/shipments/nowhere/tracking", &good).await;
    is_problem(&nowhere, StatusCode::NOT_FOUND, "not_found");
    assert_eq!(shipment(&house, Ledger::Inventory).await["tracking"], json!([]));
}

/// A shipment in a state it can be brought to from outside.
async fn brought_to(state: State) -> House {
    let house = shipped(if state == State::Created || state == State::Cancelled { SLOW } else { PARTNER }).await;
    match state {
        State::Created | State::Dispatched => {}
        State::Cancelled => drop(post(&house.doors, "/orders/order-1/stop", &json!({})).await),
        State::Delivered => drop(report(&house, "delivered", "to-1", at(0)).await),
        State::Failed => {
            report(&house, "failed", "to-1", at(0)).await;
            report(&house, "failed", "to-2", at(1)).await;
        }
        State::Retrying => {
            // Packing takes time from here on.
            let slow = warehouse::Config {
                delays: Delays { carrier: Carrier::Partner, ..SLOW },
                ..warehouse::Config::default()
            };
            let doors = warehouse::doors(house.scenario.transactor().clone(), &slow, &runtime::Identity::open_house())
                .open_house();
            let id = shipment(&house, Ledger::Inventory).await["shipmentId"].as_str().unwrap().to_owned();
            let failed = json!({ "status": "failed", "reference": "to-1", "at": at(0) });
            post(&doors, &format!("/shipments/{id}/tracking"), &failed).await;
        }
    }
    assert_eq!(house.statuses().await, [state.as_str()]);
    house
}

/// Every state by every trigger that has a door: what the table lacks is refused and changes nothing, what it has happens.
#[tokio::test]
async fn a_step_that_the_table_lacks_is_refused_by_the_doors_and_changes_nothing() {
    let later = || at(60);
    for state in State::ALL.iter().copied() {
        for trigger in [Trigger::Deliver, Trigger::Retry, Trigger::Fail, Trigger::Cancel] {
            let house = brought_to(state).await;
            // Which failure it is depends on the attempt: a first one is tried again, a second one is the last.
            let second = matches!(trigger, Trigger::Fail);
            if second && state == State::Dispatched {
                report(&house, "failed", "first", at(0)).await;
            }
            let (before, words) = (house.statuses().await, house.said().len());
            let answer = match trigger {
                Trigger::Deliver => report(&house, "delivered", "x", later()).await,
                Trigger::Cancel => post(&house.doors, "/orders/order-1/stop", &json!({})).await,
                _ => report(&house, "failed", "x", later()).await,
            };
            let (after, said) = (house.statuses().await, house.said().len() - words);
            match MACHINE.next(state, trigger) {
                Ok(to) => {
                    assert_eq!(answer.status, StatusCode::OK, "{state:?} {trigger:?}: {:?}", answer.body);
                    // Without a delay the retried delivery leaves at once.
                    let to = if to == State::Retrying { State::Dispatched } else { to };
                    assert_eq!(after, [to.as_str()], "{state:?} {trigger:?}");
                }
                Err(_) => {
                    assert_eq!((&after, said), (&before, 0), "{state:?} {trigger:?}");
                    // The same end again, and a word about a delivery that is over, are no news and no mistakes.
                    let known = matches!(
                        (state, trigger),
                        (State::Delivered, Trigger::Deliver)
                            | (State::Failed | State::Retrying, Trigger::Retry | Trigger::Fail)
                            | (State::Cancelled, Trigger::Cancel)
                    );
                    let expected = if known { StatusCode::OK } else { StatusCode::CONFLICT };
                    assert_eq!(answer.status, expected, "{state:?} {trigger:?}: {:?}", answer.body);
                }
            }
        }
    }
}

/// A word from before the end is only late; one from after it contradicts it.
#[tokio::test]
async fn a_late_word_is_kept_and_a_contradiction_is_refused() {
    let house = brought_to(State::Delivered).await;
    assert_eq!(report(&house, "failed", "late", at(-600)).await.status, StatusCode::OK);
    is_problem(&report(&house, "failed", "after", at(600)).await, StatusCode::CONFLICT, "illegal_state");
    let house = brought_to(State::Failed).await;
    assert_eq!(report(&house, "delivered", "late", at(-600)).await.status, StatusCode::OK);
    is_problem(&report(&house, "delivered", "after", at(600)).await, StatusCode::CONFLICT, "illegal_state");
    assert_eq!(house.statuses().await, ["failed"]);
}

/// However talkative the carrier: the word that ends the shipment is heard.
#[tokio::test]
async fn reports_end_somewhere_and_the_one_that_ends_the_shipment_is_heard_all_the_same() {
    let house = shipped(PARTNER).await;
    for number in 0..200 {
        let answer = report(&house, "in_transit", &format!("t-{number}"), at(0)).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    }
    is_problem(&report(&house, "in_transit", "t-200", at(0)).await, StatusCode::CONFLICT, "too_many_reports");
    assert_eq!(report(&house, "failed", "f-1", at(0)).await.status, StatusCode::OK);
    assert_eq!(report(&house, "delivered", "d", at(5)).await.status, StatusCode::OK);
    let shown = shipment(&house, Ledger::Inventory).await;
    assert_eq!((&shown["status"], shown["tracking"].as_array().unwrap().len()), (&json!("delivered"), 202));
    is_problem(&report(&house, "in_transit", "t-201", at(0)).await, StatusCode::CONFLICT, "too_many_reports");
}

/// The order is cancelled while its shipment waits for its second delivery: it has left, and so it goes on.
#[tokio::test]
async fn what_is_made_ready_again_is_neither_stopped_nor_cancelled() {
    let house = brought_to(State::Retrying).await;
    is_problem(
        &post(&house.doors, "/orders/order-1/stop", &json!({})).await,
        StatusCode::CONFLICT,
        "already_dispatched",
    );
    assert!(matches!(house.scenario.when(&cancelled()).await, runtime::Outcome::Handled(_)));
    assert_eq!(house.statuses().await, ["retrying"]);
    house.progress(3_700_000).await;
    assert_eq!(house.statuses().await, ["dispatched"]);
}
