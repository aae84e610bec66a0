//! Money given back, once per refund and never more than was paid.

use events::billing::{RefundIssued, RefundRequested};
use events::fulfillment::ReturnReceived;
use events::{Ledger, Money, StockLine};
use runtime::Outcome;
use serde_json::json;
use testkit::event;

use crate::world::{World, cancelled, dispatched, money, requested};

fn refund(order: &str, id: &str, amount_minor: i64) -> RefundRequested {
    RefundRequested {
        order_id: order.parse().unwrap(),
        refund_id: id.parse().unwrap(),
        amount: Money::from_minor(amount_minor),
        reason: "returned".to_owned(),
        shipment_id: None,
    }
}

async fn shipped() -> World {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    world.accounting.when(&event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal()).await;
    world.accounting.when(&event(dispatched("o-1", "s-2", "FURN-1", 1)).from("warehouse").seal()).await;
    world
}

#[tokio::test]
async fn a_refund_is_paid_once() {
    let world = shipped().await;
    let asked = event(refund("o-1", "r-1", 1_000)).from("oms").seal();
    assert!(matches!(world.accounting.when(&asked).await, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.accounting.when(&asked).await, Outcome::Duplicate);
    let again = event(refund("o-1", "r-1", 1_000)).from("oms").number(2).seal();
    assert_eq!(world.accounting.when(&again).await, Outcome::Handled(vec![]));
    let issued = world.accounting.said_facts::<RefundIssued>();
    assert_eq!(issued.len(), 1);
    assert_eq!((issued[0].refund_id.as_str(), &issued[0].amount), ("r-1", &Money::from_minor(1_000)));
    assert_eq!(world.balance("sales_returns").await, 1_000);
    assert_eq!(world.balance("accounts_receivable").await, 29_399);
    assert_eq!(world.invoice("o-1").await["refunded"], money(1_000));
}

#[tokio::test]
async fn more_than_is_left_is_a_dead_letter_and_changes_nothing() {
    let world = shipped().await;
    world.accounting.when(&event(refund("o-1", "r-1", 30_000)).from("oms").seal()).await;
    let outcome = world.accounting.when(&event(refund("o-1", "r-2", 400)).from("oms").seal()).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
    assert_eq!(world.invoice("o-1").await["refunded"], money(30_000));
    let rest = world.accounting.when(&event(refund("o-1", "r-3", 399)).from("oms").seal()).await;
    assert!(matches!(rest, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.balance("accounts_receivable").await, 0);
}

#[tokio::test]
async fn a_refund_without_an_invoice_waits_and_on_a_cancelled_order_is_refused() {
    let world = World::new().await;
    let asked = event(refund("o-1", "r-1", 1)).from("oms").seal();
    let outcome = world.accounting.when(&asked).await;
    assert!(matches!(&outcome, Outcome::Transient(failure) if failure.code() == "invoice_pending"), "{outcome:?}");
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    let outcome = world.accounting.when(&asked).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
}

#[tokio::test]
async fn a_refund_in_another_currency_is_a_dead_letter() {
    let world = shipped().await;
    let mut euros = refund("o-1", "r-1", 1);
    euros.amount.currency_code = "EUR".to_owned();
    let outcome = world.accounting.when(&event(euros).from("oms").seal()).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "invalid_fact"), "{outcome:?}");
}

#[tokio::test]
async fn a_return_is_recorded_once_and_pays_nothing_by_itself() {
    let world = shipped().await;
    let back = ReturnReceived {
        order_id: "o-1".parse().unwrap(),
        return_id: "return-1".parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: vec![StockLine { product_id: "CAMERA".parse().unwrap(), quantity: 1 }],
        scrapped: Vec::new(),
    };
    let received = event(back.clone()).from("warehouse").seal();
    assert_eq!(world.accounting.when(&received).await, Outcome::Handled(vec![]));
    assert_eq!(world.accounting.when(&received).await, Outcome::Duplicate);
    world.accounting.when(&event(back).from("warehouse").number(2).seal()).await;
    let count =
        |tx: &mut store::Tx<'_>| tx.query_opt("SELECT COUNT(*) FROM returns_received", &[], |row| row.get_i64(0));
    assert_eq!(world.accounting.read(count).await, Some(1));
    assert_eq!(world.balance("sales_returns").await, 0);
}

fn undelivered(order: &str, id: &str, amount_minor: i64) -> RefundRequested {
    RefundRequested { shipment_id: Some("s-1".parse().unwrap()), ..refund(order, id, amount_minor) }
}

#[tokio::test]
async fn what_never_arrived_is_no_revenue_any_more_and_the_entry_of_its_dispatch_stays() {
    let world = shipped().await;
    let asked = event(undelivered("o-1", "r-1", 1_899)).from("oms").seal();
    assert!(matches!(world.accounting.when(&asked).await, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.accounting.when(&asked).await, Outcome::Duplicate);
    assert_eq!((world.balance("revenue").await, world.balance("sales_returns").await), (-28_500, 0));
    // Without what a shop begins with.
    let entries = "SELECT COUNT(*) FROM ledger_entries AS entries
        JOIN ledger_transactions AS of_order ON of_order.transaction_id = entries.transaction_id
        WHERE account = 'revenue' AND order_id IS NOT NULL";
    let entries = world.accounting.read(move |tx| tx.query_opt(entries, &[], |row| row.get_i64(0))).await;
    assert_eq!(entries, Some(3), "two shipments earned, one entry takes back");
    assert_eq!(world.invoice("o-1").await["revenueRecognized"], money(28_500));
}

#[tokio::test]
async fn every_refund_has_a_credit_note_with_a_number_of_its_own() {
    let world = shipped().await;
    for (id, amount_minor) in [("r-1", 1_000), ("r-2", 500)] {
        world.accounting.when(&event(refund("o-1", id, amount_minor)).from("oms").seal()).await;
    }
    let issued = world.accounting.said_facts::<RefundIssued>();
    let notes = world.invoice("o-1").await["creditNotes"].clone();
    let shown: Vec<_> =
        notes.as_array().unwrap().iter().map(|note| (&note["number"], &note["refundId"], &note["amount"])).collect();
    assert_eq!(
        shown,
        [(&json!("CN-00000001"), &json!("r-1"), &money(1_000)), (&json!("CN-00000002"), &json!("r-2"), &money(500))]
    );
    assert_eq!(notes[0]["creditNoteId"], json!(issued[0].credit_note_id));
}

/// The table itself holds it, whatever the code above it does.
#[tokio::test]
async fn the_database_lets_nobody_refund_more_than_was_paid() {
    let world = shipped().await;
    let more = "UPDATE invoices SET refunded_minor = total_minor + 1 WHERE order_id = 'o-1'";
    let refused = world.accounting.transactor().store().write(0, move |tx| tx.execute(more, &[])).await;
    assert!(matches!(&refused, Err(store::StoreError::Constraint { .. })), "{refused:?}");
}

/// A part was given up and its refund is under way when the rest is lost, too, and the order cancelled.
#[tokio::test]
async fn a_refund_that_meets_a_reversed_invoice_is_part_of_what_was_given_back() {
    let world = shipped().await;
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    let asked = event(undelivered("o-1", "r-1", 1_899)).from("oms").seal();
    assert_eq!(world.accounting.when(&asked).await, Outcome::Handled(vec![]));
    assert_eq!(world.balance("accounts_receivable").await, 0);
    assert_eq!(world.invoice("o-1").await["creditNotes"].as_array().unwrap().len(), 1);
}
