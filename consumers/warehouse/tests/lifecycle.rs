//! Shipments through their life, event by event.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use events::Ledger;
use events::fulfillment::{ReturnReceived, ShipmentCreated, ShipmentDelivered, ShipmentDispatched, ShipmentFailed};
use runtime::{Identity, Outcome};
use support::*;
use testkit::event;
use warehouse::Delays;

async fn handled(house: &House, envelope: &events::Envelope<events::Encoded>) {
    let outcome = house.scenario.when(envelope).await;
    assert!(matches!(outcome, Outcome::Handled(_)), "{}: {outcome:?}", envelope.event_type);
}

#[tokio::test]
async fn an_order_gets_one_shipment_per_ledger_with_its_location() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP", "CUP", "FURN-1"])).await;
    let [parcel, freight]: [ShipmentCreated; 2] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(
        (parcel.ledger, parcel.location.as_str(), parcel.lines.len()),
        (Ledger::Inventory, "Aisle 1, Aisle 2", 2)
    );
    assert_eq!((freight.ledger, freight.location.as_str(), freight.lines.len()), (Ledger::Furniture, "Hall 9", 1));
    assert_ne!(parcel.shipment_id, freight.shipment_id);
    assert_eq!(house.statuses().await, ["created", "created"]);
}

#[tokio::test]
async fn without_delays_everything_happens_in_one_transaction() {
    let house = House::new(Delays::NONE).await;
    handled(&house, &requested(&["LAMP", "FURN-1"])).await;
    let one = ["shipment_created", "shipment_dispatched", "shipment_delivered"];
    assert_eq!(house.said(), [one, one].concat());
    assert_eq!(house.statuses().await, ["delivered", "delivered"]);
    let [parcel, freight]: [ShipmentDispatched; 2] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!((parcel.carrier.as_str(), freight.carrier.as_str()), ("Boutique Parcel", "Boutique Freight"));
    assert!(parcel.tracking_number.starts_with("OB") && parcel.tracking_number != freight.tracking_number);
    house.progress(i64::from(u32::MAX)).await;
    assert_eq!(house.said().len(), 6, "nothing is left to do");
}

#[tokio::test]
async fn a_request_that_comes_twice_ships_once() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP"])).await;
    assert_eq!(house.scenario.when(&requested(&["LAMP"])).await, Outcome::Duplicate);
    let again = event(request(&["LAMP", "FURN-1"])).from("oms").number(2).seal();
    assert_eq!(house.scenario.when(&again).await, Outcome::Handled(vec![]), "nor does another event for the order");
    assert_eq!(house.said(), ["shipment_created"]);
    assert_eq!(house.statuses().await, ["created"]);
}

#[tokio::test]
async fn shipments_move_on_when_their_time_has_come_and_once() {
    let house = House::new(SLOW).await;
    let cause = requested(&["LAMP", "FURN-1"]);
    handled(&house, &cause).await;
    house.progress(3_000_000).await;
    assert_eq!(house.statuses().await, ["created", "created"], "not yet");

    house.progress(3_700_000).await;
    house.progress(3_700_000).await;
    assert_eq!(house.statuses().await, ["dispatched", "dispatched"]);
    house.progress(7_400_000).await;
    house.progress(7_400_000).await;
    assert_eq!(house.statuses().await, ["delivered", "delivered"]);
    assert_eq!(house.scenario.said_facts::<ShipmentDispatched>().len(), 2);
    assert_eq!(house.scenario.said_facts::<ShipmentDelivered>().len(), 2);
    for message in house.scenario.said() {
        assert_eq!(message.attributes["ce-causationid"], cause.id.as_str());
        assert_eq!(message.attributes["ce-correlationid"], cause.correlation_id.as_str());
    }
}

#[tokio::test]
async fn two_instances_that_find_the_same_shipment_due_dispatch_it_once() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP", "FURN-1"])).await;
    tokio::join!(house.progress(3_700_000), house.progress(3_700_000), house.progress(3_700_000));
    assert_eq!(house.scenario.said_facts::<ShipmentDispatched>().len(), 2);
}

/// Pub/Sub is out of reach when a shipment is dispatched and the process dies before it is back: the step is committed and its
/// word waits in the outbox, so it is not taken again and is said once.
#[tokio::test]
async fn a_dispatch_cut_off_before_its_publish_is_said_once() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP"])).await;
    house.scenario.bus().refuse(true);
    house.progress(3_700_000).await;
    house.progress(3_700_000).await;
    assert_eq!((house.said().len(), house.unsent().await > 0), (1, true));
    house.scenario.bus().refuse(false);
    assert_eq!(house.scenario.transactor().publisher().relay_once().await, Ok(true));
    assert_eq!(house.scenario.transactor().publisher().relay_once().await, Ok(true));
    assert_eq!(house.said(), ["shipment_created", "shipment_dispatched"]);
}

#[tokio::test]
async fn a_crash_between_commit_and_acknowledgement_ships_once() {
    let house = House::new(SLOW).await;
    house.scenario.bus().refuse(true);
    handled(&house, &requested(&["LAMP"])).await;
    assert_eq!((house.said().len(), house.unsent().await), (0, 1));
    assert_eq!(house.scenario.when(&requested(&["LAMP"])).await, Outcome::Duplicate);
    house.scenario.bus().refuse(false);
    assert_eq!(house.scenario.transactor().publisher().relay_once().await, Ok(true));
    assert_eq!(house.said(), ["shipment_created"]);
}

#[tokio::test]
async fn a_product_nobody_can_find_fails_the_whole_order_once() {
    for lost in ["LOST", "UNHEARD-OF", "FURN-9"] {
        let house = House::new(Delays::NONE).await;
        handled(&house, &requested(&["LAMP", lost])).await;
        let [failed]: [ShipmentFailed; 1] = house.scenario.said_facts().try_into().unwrap();
        assert_eq!(failed.code, "unknown_location");
        assert!(failed.reason.contains(lost), "{}", failed.reason);
        let again = event(request(&["LAMP"])).from("oms").number(2).seal();
        assert_eq!(house.scenario.when(&again).await, Outcome::Handled(vec![]));
        assert_eq!(house.said(), ["shipment_failed"]);
        assert_eq!(house.statuses().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_asked_again_later() {
    let mut house = House::new(SLOW).await;
    house.lose_ledgers().await;
    let outcome = house.scenario.when(&requested(&["LAMP"])).await;
    assert!(matches!(&outcome, Outcome::Transient(failure) if failure.code() == "peer_unavailable"), "{outcome:?}");
    assert_eq!((house.said().len(), house.statuses().await.len()), (0, 0));
}

#[tokio::test]
async fn a_cancelled_order_keeps_its_goods_in_the_house() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP", "FURN-1"])).await;
    handled(&house, &cancelled()).await;
    assert_eq!(house.scenario.when(&cancelled()).await, Outcome::Duplicate);
    house.progress(i64::from(u32::MAX)).await;
    assert_eq!(house.statuses().await, ["cancelled", "cancelled"]);
    let again = event(request(&["LAMP"])).from("oms").number(2).seal();
    assert_eq!(house.scenario.when(&again).await, Outcome::Handled(vec![]));
    assert_eq!(house.said(), ["shipment_created", "shipment_created"]);
}

#[tokio::test]
async fn a_request_that_comes_after_the_cancellation_ships_nothing_and_is_answered_once() {
    let house = House::new(Delays::NONE).await;
    handled(&house, &cancelled()).await;
    handled(&house, &requested(&["LAMP"])).await;
    let again = event(request(&["LAMP"])).from("oms").number(2).seal();
    handled(&house, &again).await;
    let [failed]: [ShipmentFailed; 1] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!(failed.code, "stopped");
    assert_eq!((house.said().len(), house.statuses().await.len()), (1, 0));
}

#[tokio::test]
async fn what_left_before_the_cancellation_arrives() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP"])).await;
    house.progress(3_700_000).await;
    handled(&house, &cancelled()).await;
    house.progress(7_400_000).await;
    assert_eq!(house.statuses().await, ["delivered"]);
}

#[tokio::test]
async fn goods_come_back_once_per_ledger() {
    let house = House::new(Delays::NONE).await;
    handled(&house, &requested(&["LAMP", "CUP", "FURN-1"])).await;
    handled(&house, &return_requested(&["LAMP", "FURN-1"])).await;
    assert_eq!(house.scenario.when(&return_requested(&["LAMP", "FURN-1"])).await, Outcome::Duplicate);
    assert_eq!(house.scenario.said_facts::<ReturnReceived>(), []);
    for _ in 0..2 {
        let answer = testkit::post(&house.doors, "/returns/return-1/received", &serde_json::Value::Null).await;
        assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &serde_json::json!("received")));
    }
    let [parcel, freight]: [ReturnReceived; 2] = house.scenario.said_facts().try_into().unwrap();
    assert_eq!((parcel.ledger, parcel.lines.len()), (Ledger::Inventory, 1));
    assert_eq!((freight.ledger, freight.lines.len()), (Ledger::Furniture, 1));
    let answer = testkit::post(&house.doors, "/returns/return-9/received", &serde_json::Value::Null).await;
    assert_eq!(answer.status.as_u16(), 404);
}

#[tokio::test]
async fn what_has_not_left_cannot_come_back() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["LAMP"])).await;
    for products in [["LAMP"], ["FURN-1"]] {
        let outcome = house.scenario.when(&return_requested(&products)).await;
        assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
    }
    house.progress(3_700_000).await;
    let outcome = house.scenario.when(&return_requested(&["LAMP"])).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "it is under way");
}

#[tokio::test]
async fn freight_goes_one_product_at_a_time_and_everything_else_together() {
    let house = House::new(SLOW).await;
    handled(&house, &requested(&["FURN-2", "LAMP", "FURN-1", "CUP"])).await;
    let planned: Vec<ShipmentCreated> = house.scenario.said_facts();
    let seen: Vec<_> = planned
        .iter()
        .map(|one| (one.ledger, one.location.as_str(), one.lines.iter().map(|line| line.product_id.as_str()).collect()))
        .collect();
    let expected: [(Ledger, &str, Vec<&str>); 3] = [
        (Ledger::Inventory, "Aisle 1, Aisle 2", vec!["LAMP", "CUP"]),
        (Ledger::Furniture, "Hall 7", vec!["FURN-2"]),
        (Ledger::Furniture, "Hall 9", vec!["FURN-1"]),
    ];
    assert_eq!(seen, expected);
    house.progress(3_700_000).await;
    house.progress(7_400_000).await;
    assert_eq!(house.statuses().await, ["delivered", "delivered", "delivered"]);
    let ids: std::collections::BTreeSet<_> =
        house.scenario.said().iter().map(|message| message.attributes["ce-id"].clone()).collect();
    assert_eq!(ids.len(), 9, "every fact has an id of its own");
}

#[tokio::test]
async fn the_consumer_reacts_to_what_the_topology_says_it_hears() {
    let mut heard: Vec<_> = events::topology::EVENTS
        .iter()
        .filter(|row| row.heard_by.contains(&warehouse::NAME))
        .map(|row| row.event_type)
        .collect();
    heard.sort_unstable();
    assert_eq!(warehouse::consumer(&warehouse::Config::default(), &Identity::open_house()).event_types(), heard);
}
