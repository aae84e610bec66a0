//! What orders and refunds do to a customer.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod support;

use crm::doors;
use events::billing::RefundIssued;
use events::order::{OrderCompleted, OrderConfirmed};
use events::risk::RiskLevel;
use events::{Ledger, Money, OrderLine, Timestamp};
use runtime::{Code, Failure, Outcome};
use serde_json::Value;
use store::params;
use support::{config, scenario, sealed_id};
use testkit::{Scenario, T0, event, get};

fn confirmed(order: &str, customer: &str) -> OrderConfirmed {
    let line = OrderLine {
        product_id: "66VCHSJNUP".parse().unwrap(),
        quantity: 1,
        unit_price: Money::from_minor(1_249),
        ledger: Ledger::Inventory,
    };
    OrderConfirmed {
        shipping_country: None,
        billing_country: None,
        order_id: order.parse().unwrap(),
        customer_id: customer.parse().unwrap(),
        lines: vec![line],
        discount: Money::zero(),
        total: Money::from_minor(1_249),
        risk: RiskLevel::Low,
    }
}

fn completed(order: &str, total_minor: i64) -> OrderCompleted {
    OrderCompleted {
        order_id: order.parse().unwrap(),
        customer_id: "john-doe".parse().unwrap(),
        total: Money::from_minor(total_minor),
        completed_at: Timestamp::from_millisecond(T0).unwrap(),
    }
}

fn refunded(order: &str, amount_minor: i64) -> RefundIssued {
    RefundIssued {
        order_id: order.parse().unwrap(),
        customer_id: "john-doe".parse().unwrap(),
        refund_id: format!("r-{order}").parse().unwrap(),
        credit_note_id: format!("c-{order}").parse().unwrap(),
        amount: Money::from_minor(amount_minor),
    }
}

async fn john(crm: &Scenario) -> (Value, Value) {
    let john = get(&doors(crm.transactor(), config()).open_house(), "/customers/john-doe").await.body;
    (john["loyaltyTier"].clone(), john["completedOrders"].clone())
}

async fn placed(crm: &Scenario) -> i64 {
    let john = sealed_id(crm, "john-doe").await;
    let sql = "SELECT placed_orders FROM subjects WHERE sealed_id = ?1";
    crm.read(move |tx| tx.query_opt(sql, params![&john], |row| row.get_i64(0))).await.unwrap()
}

#[tokio::test]
async fn a_confirmed_order_is_counted_once_however_often_it_comes() {
    let crm = scenario();
    let order = event(confirmed("o-1", &sealed_id(&crm, "john-doe").await)).seal();
    assert_eq!(crm.when(&order).await, Outcome::Handled(vec![]));
    assert_eq!(crm.when(&order).await, Outcome::Duplicate);
    assert_eq!(placed(&crm).await, 1);
    assert!(crm.said().is_empty());
}

/// Events from before customers were sealed name them by the id they know.
#[tokio::test]
async fn an_order_of_a_clear_id_counts_for_the_same_customer() {
    let crm = scenario();
    crm.when(&event(confirmed("o-1", "john-doe")).seal()).await;
    assert_eq!(placed(&crm).await, 1);
}

#[tokio::test]
async fn an_order_of_nobody_goes_to_the_dead_letter() {
    let crm = scenario();
    let outcome = crm.when(&event(confirmed("o-1", "nobody")).seal()).await;
    let Outcome::Permanent(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code(), "unknown_customer");
    assert_eq!(crm.said().len(), 1, "the dead letter");
}

#[tokio::test]
async fn completed_orders_raise_the_tier_once_each() {
    let crm = scenario();
    let first = event(completed("o-1", 99_999)).seal();
    crm.when(&first).await;
    assert_eq!(john(&crm).await, ("standard".into(), 1.into()));
    assert_eq!(crm.when(&first).await, Outcome::Duplicate);
    // The same order completed by another event counts no second time.
    assert_eq!(crm.when(&event(completed("o-1", 99_999)).number(2).seal()).await, Outcome::Handled(vec![]));
    assert_eq!(john(&crm).await, ("standard".into(), 1.into()));
    crm.when(&event(completed("o-2", 1)).seal()).await;
    assert_eq!(john(&crm).await, ("silver".into(), 2.into()));
    crm.when(&event(completed("o-3", 400_000)).seal()).await;
    assert_eq!(john(&crm).await, ("gold".into(), 3.into()));
}

#[tokio::test]
async fn a_refund_lowers_what_was_spent_before_or_after_the_completion() {
    for refund_first in [true, false] {
        let crm = scenario();
        let (completed, refunded) = (event(completed("o-1", 100_000)).seal(), event(refunded("o-1", 1)).seal());
        let facts = if refund_first { [&refunded, &completed] } else { [&completed, &refunded] };
        for fact in facts {
            assert_eq!(crm.when(fact).await, Outcome::Handled(vec![]));
        }
        assert_eq!(crm.when(&refunded).await, Outcome::Duplicate);
        assert_eq!(john(&crm).await, ("standard".into(), 1.into()), "refund first: {refund_first}");
    }
}

#[tokio::test]
async fn a_refund_of_an_order_never_completed_takes_nothing_away() {
    let crm = scenario();
    crm.when(&event(completed("o-1", 100_000)).seal()).await;
    crm.when(&event(refunded("o-2", 50_000)).from("accounting").seal()).await;
    assert_eq!(john(&crm).await, ("silver".into(), 1.into()));
}

#[tokio::test]
async fn a_payload_out_of_bounds_is_permanent() {
    let crm = scenario();
    let mut order = event(completed("o-1", 1)).seal();
    order.data.0 = order.data.0.replace("john-doe", "john doe");
    assert!(matches!(crm.when(&order).await, Outcome::Permanent(Failure::Permanent { code: Code::BadPayload, .. })));
}
