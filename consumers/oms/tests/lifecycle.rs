//! One order through its life, event by event.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use events::billing::RefundIssued;
use events::fulfillment::{FulfillmentRequested, ReturnReceived};
use events::order::{CancellationReason, OrderCancelled, OrderCompleted, OrderRejected, RejectionReason};
use events::risk::RiskLevel;
use events::{Fact, Ledger, Money, Timestamp};
use runtime::Outcome;
use support::*;
use testkit::{T0, event};

#[tokio::test]
async fn an_order_is_shipped_once_everybody_said_yes_and_completed_once_it_is_delivered() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed()]).await;
    assert_eq!((said(&shop), status(&shop).await.as_str()), (vec![], "confirmed"));

    hear_all(&shop, &[invoiced()]).await;
    assert_eq!((said(&shop), status(&shop).await.as_str()), (vec!["fulfillment.requested".into()], "fulfilling"));
    let [request]: [FulfillmentRequested; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(request.lines, [line("66VCHSJNUP", Ledger::Inventory)]);

    hear_all(&shop, &[dispatched(Ledger::Inventory)]).await;
    assert_eq!(status(&shop).await, "shipped");
    hear_all(&shop, &[delivered(Ledger::Inventory, LATER)]).await;
    assert_eq!(said(&shop), ["fulfillment.requested", "order.completed"]);
    assert_eq!(status(&shop).await, "completed");
    let [done]: [OrderCompleted; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(done.total, Money::from_minor(2_498));
    assert_eq!(done.customer_id.as_str(), "jane-smith");
    assert_eq!(done.completed_at, Timestamp::from_millisecond(LATER).unwrap());
}

#[tokio::test]
async fn what_is_said_belongs_to_the_orders_story_and_to_its_cause() {
    let shop = shop();
    let last = invoiced();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), last.clone()]).await;
    let said = shop.said();
    assert_eq!(said[0].attributes["ce-causationid"], last.id.as_str());
    assert_eq!(said[0].attributes["ce-correlationid"], last.correlation_id.as_str());
    assert_eq!(said[0].attributes["ce-source"], "//onlineboutique.com/oms");
}

#[tokio::test]
async fn facts_that_come_before_the_confirmation_count() {
    let shop = shop();
    hear_all(&shop, &[invoiced(), committed()]).await;
    assert_eq!(status(&shop).await, "pending");
    hear_all(&shop, &[confirmed(RiskLevel::Medium)]).await;
    assert_eq!(said(&shop), ["fulfillment.requested"]);
}

/// The row is there already when the confirmation comes, and what was bought is needed later still.
#[tokio::test]
async fn what_was_bought_is_kept_when_the_confirmation_was_not_the_first_fact() {
    let shop = shop();
    hear_all(&shop, &[invoiced(), confirmed(RiskLevel::Low), committed(), delivered(Ledger::Inventory, LATER)]).await;
    assert_eq!(said(&shop), ["fulfillment.requested", "order.completed"]);
    let sql = "SELECT customer_id, placed_at_ms FROM orders WHERE order_id = 'order-1'";
    let kept = shop.read(move |tx| tx.query_opt(sql, &[], |row| Ok((row.get_text(0)?, row.get_i64(1)?)))).await;
    assert_eq!(kept, Some(("jane-smith".to_owned(), T0)));
}

#[tokio::test]
async fn every_event_delivered_twice_is_a_duplicate_and_changes_nothing() {
    let shop = shop();
    let life = [
        confirmed(RiskLevel::Unknown),
        committed(),
        invoiced(),
        flagged(),
        cleared(),
        stock_rejected(),
        invoice_failed(),
        dispatched(Ledger::Inventory),
        delivered(Ledger::Inventory, LATER),
        shipment_failed(),
        refund("refund-1"),
        goods_back(),
    ];
    for fact in &life {
        assert!(matches!(shop.when(fact).await, Outcome::Handled(_)), "{}", fact.event_type);
        let (words, standing) = (shop.said().len(), status(&shop).await);
        assert_eq!(shop.when(fact).await, Outcome::Duplicate, "{}", fact.event_type);
        assert_eq!((shop.said().len(), status(&shop).await), (words, standing), "{}", fact.event_type);
    }
}

/// Another event id with the same meaning: not a duplicate for the inbox, and still nothing new.
#[tokio::test]
async fn the_same_fact_in_another_event_changes_nothing() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced()]).await;
    let again = event(events::billing::InvoiceIssued {
        order_id: ORDER.parse().unwrap(),
        invoice_id: "invoice-1".parse().unwrap(),
        total: Money::from_minor(2_498),
    });
    assert_eq!(shop.when(&again.from("accounting").number(7).seal()).await, Outcome::Handled(vec![]));
    assert_eq!(said(&shop), ["fulfillment.requested"]);
}

#[tokio::test]
async fn both_ledgers_have_to_commit_and_to_deliver() {
    let shop = shop();
    hear_all(&shop, &[confirmed_order(ORDER, &Ledger::ALL, RiskLevel::Low), invoiced(), committed()]).await;
    assert_eq!(said(&shop), [""; 0]);
    hear_all(&shop, &[committed_for(ORDER, Ledger::Furniture)]).await;
    assert_eq!(said(&shop), ["fulfillment.requested"]);
    hear_all(&shop, &[delivered(Ledger::Furniture, LATER + 5), dispatched(Ledger::Inventory)]).await;
    assert_eq!(status(&shop).await, "shipped", "what was delivered was dispatched");
    hear_all(&shop, &[delivered(Ledger::Inventory, LATER)]).await;
    let [done]: [OrderCompleted; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(done.completed_at, Timestamp::from_millisecond(LATER + 5).unwrap(), "the last delivery counts");
}

#[tokio::test]
async fn an_unknown_risk_holds_the_order_until_it_is_cleared() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), committed(), invoiced()]).await;
    assert_eq!((said(&shop).len(), status(&shop).await.as_str()), (0, "confirmed"));
    hear_all(&shop, &[cleared()]).await;
    assert_eq!(said(&shop), ["fulfillment.requested"]);
}

#[tokio::test]
async fn a_flagged_order_is_put_on_hold_once_and_not_shipped() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), flagged(), committed(), invoiced()]).await;
    assert_eq!((said(&shop), status(&shop).await.as_str()), (vec!["order.on_hold".into()], "on_hold"));
}

#[tokio::test]
async fn an_order_nobody_can_supply_or_bill_is_cancelled_once_and_never_shipped() {
    for (end, reason) in [
        (stock_rejected(), CancellationReason::StockRejected),
        (invoice_failed(), CancellationReason::InvoiceFailed),
        (shipment_failed(), CancellationReason::ShipmentFailed),
    ] {
        let shop = shop();
        hear_all(&shop, &[end, confirmed(RiskLevel::Low), stock_rejected_by_furniture()]).await;
        hear_all(&shop, &[committed(), invoiced(), flagged()]).await;
        assert_eq!((said(&shop), status(&shop).await.as_str()), (vec!["order.cancelled".into()], "cancelled"));
        let [cancelled]: [OrderCancelled; 1] = shop.said_facts().try_into().unwrap();
        assert_eq!(cancelled.reason, reason);
    }
}

#[tokio::test]
async fn a_warehouse_that_ships_nothing_ends_the_order() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced(), shipment_failed()]).await;
    assert_eq!(said(&shop), ["fulfillment.requested", "order.cancelled"]);
    let [cancelled]: [OrderCancelled; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(cancelled.reason, CancellationReason::ShipmentFailed);
}

#[tokio::test]
async fn a_rejected_order_is_written_down_and_nothing_is_said() {
    let shop = shop();
    hear_all(&shop, &[rejected()]).await;
    assert_eq!((said(&shop).len(), status(&shop).await.as_str()), (0, "rejected"));
    assert_eq!(shop.when(&rejected()).await, Outcome::Duplicate);
    let outcome = shop.when(&confirmed(RiskLevel::Low)).await;
    assert!(matches!(outcome, Outcome::Permanent(_)), "{outcome:?}");
    assert_eq!(status(&shop).await, "rejected");
}

#[tokio::test]
async fn an_order_cannot_be_rejected_after_it_was_confirmed() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    assert!(matches!(shop.when(&rejected()).await, Outcome::Permanent(_)));
    assert_eq!(status(&shop).await, "confirmed");
}

/// Pub/Sub is out of reach when the last yes comes: the effect is committed, its word waits in the outbox. The event comes again
/// because its delivery was not acknowledged, and in the end the warehouse is asked exactly once.
#[tokio::test]
async fn a_crash_between_commit_and_acknowledgement_ships_the_order_once() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed()]).await;
    shop.bus().refuse(true);
    assert!(matches!(shop.when(&invoiced()).await, Outcome::Handled(_)));
    assert_eq!((said(&shop).len(), unsent(&shop).await), (0, 1));

    assert_eq!(shop.when(&invoiced()).await, Outcome::Duplicate);
    assert_eq!(unsent(&shop).await, 1);

    shop.bus().refuse(false);
    assert_eq!(shop.transactor().publisher().relay_once().await, Ok(true));
    assert_eq!(shop.transactor().publisher().relay_once().await, Ok(true));
    assert_eq!(said(&shop), ["fulfillment.requested"]);
}

#[tokio::test]
async fn an_order_gathers_no_more_facts_nobody_asked_for_than_it_may() {
    let shop = shop();
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    for number in 1..1_200 {
        hear_all(&shop, &[refund(&format!("refund-{number}"))]).await;
    }
    let outcome = shop.when(&refund("refund-1200")).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "too_many_facts"), "{outcome:?}");
}

fn rejected() -> events::Envelope<events::Encoded> {
    let (order_id, customer_id) = (ORDER.parse().unwrap(), "jane-smith".parse().unwrap());
    let detail = "out of stock".to_owned();
    event(OrderRejected { order_id, customer_id, reason: RejectionReason::OutOfStock, detail }).seal()
}

fn refund(refund_id: &str) -> events::Envelope<events::Encoded> {
    let fact = RefundIssued {
        order_id: ORDER.parse().unwrap(),
        customer_id: "jane-smith".parse().unwrap(),
        refund_id: refund_id.parse().unwrap(),
        credit_note_id: "credit-note-1".parse().unwrap(),
        amount: Money::from_minor(1),
    };
    event(fact).from("accounting").seal()
}

fn goods_back() -> events::Envelope<events::Encoded> {
    let (order_id, return_id) = (ORDER.parse().unwrap(), "return-1".parse().unwrap());
    let lines = vec![line("66VCHSJNUP", Ledger::Inventory).stock()];
    event(ReturnReceived { order_id, return_id, ledger: Ledger::Inventory, lines, scrapped: Vec::new() })
        .from("warehouse")
        .at(T0)
        .seal()
}

fn stock_rejected_by_furniture() -> events::Envelope<events::Encoded> {
    let fact = events::inventory::StockRejected {
        order_id: ORDER.parse().unwrap(),
        reservation_id: "hold-2".parse().unwrap(),
        ledger: Ledger::Furniture,
        shortages: Vec::new(),
    };
    event(fact).from("furniture").seal()
}

async fn unsent(shop: &testkit::Scenario) -> i64 {
    shop.read(store::outbox::unsent_count).await
}

#[test]
fn the_consumer_reacts_to_what_the_topology_says_it_hears() {
    let mut heard: Vec<_> = events::topology::EVENTS
        .iter()
        .filter(|row| row.heard_by.contains(&oms::NAME))
        .map(|row| row.event_type)
        .collect();
    heard.sort_unstable();
    assert_eq!(oms::consumer().event_types(), heard);
    assert!(heard.contains(&OrderRejected::TYPE));
}
