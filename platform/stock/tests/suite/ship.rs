//! `fulfillment.shipment_dispatched` takes units out of the house.

use events::Ledger;
use runtime::Outcome;
use stock::holds::Status;
use testkit::event;

use crate::shop::*;

#[tokio::test]
async fn units_leave_once_however_often_the_shipment_is_said() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 1)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3), (MUG, 1)]).seal()).await;
    // The warehouse may list the lines in another order.
    let shipped = dispatched("o1", "s1", &[(MUG, 1), (LENS, 3)]).seal();

    assert_eq!(shop.when(&shipped).await, Outcome::Handled(vec![]));
    assert_eq!(shop.when(&shipped).await, Outcome::Duplicate);
    let said_anew = dispatched("o1", "s1", &[(MUG, 1), (LENS, 3)]).number(2).seal();
    assert_eq!(shop.when(&said_anew).await, Outcome::Handled(vec![]));

    assert_eq!(units(&shop, LENS).await, (7, 0));
    assert_eq!(units(&shop, MUG).await, (4, 0));
    assert_eq!(status(&shop, "o1").await, Some(Status::Shipped));
}

#[tokio::test]
async fn a_shipment_without_a_firm_hold_is_a_dead_letter_and_moves_nothing() {
    let shop = shop().await;
    hold(&shop, "held", &[(LENS, 1)]).await.unwrap();
    hold(&shop, "stopped", &[(LENS, 1)]).await.unwrap();
    shop.when(&stock_reserved("stopped", &[(LENS, 1)]).seal()).await;
    shop.when(&cancelled("stopped")).await;
    hold(&shop, "twice", &[(LENS, 1)]).await.unwrap();
    shop.when(&stock_reserved("twice", &[(LENS, 1)]).seal()).await;
    shop.when(&dispatched("twice", "s1", &[(LENS, 1)]).seal()).await;
    for (order, shipment) in [("unknown", "s1"), ("held", "s1"), ("stopped", "s1"), ("twice", "s2")] {
        let outcome = shop.when(&dispatched(order, shipment, &[(LENS, 1)]).seal()).await;
        assert_eq!(dead_letter_code(&outcome), Some("illegal_state"), "{order}");
    }
    assert_eq!(units(&shop, LENS).await, (9, 1));
}

#[tokio::test]
async fn a_shipment_of_other_units_than_the_hold_is_a_dead_letter() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    let outcome = shop.when(&dispatched("o1", "s1", &[(LENS, 2)]).seal()).await;
    assert_eq!(dead_letter_code(&outcome), Some("illegal_state"));
    assert_eq!(units(&shop, LENS).await, (10, 3));
}

#[tokio::test]
async fn shipments_of_the_other_ledger_are_not_ours() {
    let shop = shop().await;
    let theirs =
        events::fulfillment::ShipmentDispatched { ledger: Ledger::Furniture, ..dispatch("o1", "s1", &[(LENS, 1)]) };
    assert_eq!(shop.when(&event(theirs).from("warehouse").seal()).await, Outcome::Handled(vec![]));
    assert_eq!(units(&shop, LENS).await, (10, 0));
}
