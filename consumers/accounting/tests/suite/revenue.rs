//! Shipments earn their share.

use events::Money;
use events::billing::RevenueRecognized;
use runtime::Outcome;
use testkit::event;

use crate::world::{World, cancelled, dispatched, money, requested};

#[tokio::test]
async fn each_shipment_earns_its_share_once_and_the_shares_add_up() {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    let cameras = event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal();
    assert!(matches!(world.accounting.when(&cameras).await, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.accounting.when(&cameras).await, Outcome::Duplicate);
    let again = event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").number(2).seal();
    assert_eq!(world.accounting.when(&again).await, Outcome::Handled(vec![]), "one recognition per shipment");
    world.accounting.when(&event(dispatched("o-1", "s-2", "FURN-1", 1)).from("warehouse").seal()).await;
    let earned = world.accounting.said_facts::<RevenueRecognized>();
    // 2,000 of 31,999 hundredths, of the 30,399 that are paid: 1,899.99…, rounded down; then the rest.
    let amounts: Vec<Money> = earned.into_iter().map(|fact| fact.amount).collect();
    assert_eq!(amounts, [Money::from_minor(1_899), Money::from_minor(28_500)]);
    assert_eq!(world.balance("deferred_revenue").await, 0);
    assert_eq!(world.balance("revenue").await, -30_399);
    assert_eq!(world.invoice("o-1").await["revenueRecognized"], money(30_399));
}

#[tokio::test]
async fn a_shipment_before_the_invoice_comes_again_later() {
    let world = World::new().await;
    let shipment = event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal();
    let outcome = world.accounting.when(&shipment).await;
    assert!(matches!(&outcome, Outcome::Transient(failure) if failure.code() == "invoice_pending"), "{outcome:?}");
    world.accounting.when(&event(requested("o-1")).seal()).await;
    assert!(matches!(world.accounting.when(&shipment).await, Outcome::Handled(said) if said.len() == 1));
}

#[tokio::test]
async fn a_shipment_of_what_was_not_invoiced_is_a_dead_letter_and_earns_nothing() {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    for (product, quantity) in [("CAMERA", 3), ("OTHER", 1)] {
        let shipment = event(dispatched("o-1", "s-1", product, quantity)).from("warehouse").seal();
        let outcome = world.accounting.when(&shipment).await;
        assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
    }
    assert_eq!(world.balance("revenue").await, 0);
    // The dead letters left no claim behind: the right shipment under the same id is earned.
    world.accounting.when(&event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").number(3).seal()).await;
    assert_eq!(world.balance("revenue").await, -1_899);
}

#[tokio::test]
async fn a_shipment_of_an_order_cancelled_before_its_invoice_is_a_dead_letter() {
    let world = World::new().await;
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    let shipment = event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal();
    let outcome = world.accounting.when(&shipment).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
    assert_eq!(world.balance("revenue").await, 0);
}

#[tokio::test]
async fn cancelling_after_a_part_was_shipped_gives_all_of_it_back() {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    world.accounting.when(&event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal()).await;
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    assert_eq!(world.balance("accounts_receivable").await, 0);
    assert_eq!(world.balance("deferred_revenue").await, 0);
    assert_eq!((world.balance("revenue").await, world.balance("sales_returns").await), (0, 0), "nothing stays earned");
    assert_eq!(world.invoice("o-1").await["refunded"], money(30_399));
}
