//! `fulfillment.shipment_dispatched` takes units out of the house.

use events::Ledger;
use runtime::Outcome;
use stock::holds::Status;
use stock::limits::MAX_HOLDS_PER_ORDER;
use store::params;
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

/// Freight goes one product at a time, and each product whole.
#[tokio::test]
async fn a_hold_leaves_in_several_shipments_and_is_firm_until_the_last() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 1)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3), (MUG, 1)]).seal()).await;

    let first = dispatched("o1", "s1", &[(LENS, 3)]).seal();
    assert_eq!(shop.when(&first).await, Outcome::Handled(vec![]));
    assert_eq!(shop.when(&first).await, Outcome::Duplicate);
    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), ((7, 0), (5, 1)));
    assert_eq!(status(&shop, "o1").await, Some(Status::Committed));
    // A second delivery of the same shipment is another event about units that have left.
    let retried = events::fulfillment::ShipmentDispatched { attempt: Some(2), ..dispatch("o1", "s1", &[(LENS, 3)]) };
    assert_eq!(shop.when(&event(retried).from("warehouse").seal()).await, Outcome::Handled(vec![]));
    let twice = shop.when(&dispatched("o1", "s2", &[(LENS, 3)]).seal()).await;
    assert_eq!(dead_letter_code(&twice), Some("illegal_state"), "a product leaves once");

    assert_eq!(shop.when(&dispatched("o1", "s2", &[(MUG, 1)]).seal()).await, Outcome::Handled(vec![]));
    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), ((7, 0), (4, 0)));
    assert_eq!(status(&shop, "o1").await, Some(Status::Shipped));
}

#[tokio::test]
async fn a_cancellation_after_a_part_left_releases_the_rest_only() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 1)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3), (MUG, 1)]).seal()).await;
    shop.when(&dispatched("o1", "s1", &[(LENS, 3)]).seal()).await;
    assert!(matches!(shop.when(&cancelled("o1")).await, Outcome::Handled(said) if said.len() == 1));
    let [released]: [events::inventory::StockReleased; 1] = shop.said_facts().try_into().unwrap();
    assert_eq!(released.lines, lines(&[(MUG, 1)]));
    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), ((7, 0), (5, 0)));
}

#[tokio::test]
async fn what_left_and_could_not_be_delivered_leaves_once_and_comes_back_once_in_whatever_order_that_is_heard() {
    let left = dispatched("o1", "s1", &[(LENS, 3)]).seal();
    let (undelivered, back) = (undeliverable("o1"), returned("o1", "r1", &[(LENS, 3)]).seal());
    for order in [[&left, &undelivered, &back], [&undelivered, &left, &back], [&undelivered, &back, &left]] {
        let shop = shop().await;
        hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
        shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
        for event in order {
            assert_eq!(shop.when(event).await, Outcome::Handled(vec![]));
            assert_eq!(shop.when(event).await, Outcome::Duplicate);
        }
        assert_eq!((units(&shop, LENS).await, status(&shop, "o1").await), ((10, 0), Some(Status::Shipped)));
    }
}

/// Each attempt of checkout makes a hold; those that ended must not hide the one that counts.
#[tokio::test]
async fn the_firm_hold_is_found_behind_any_number_of_released_ones() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    shop.given(|tx| {
        let add = "INSERT INTO holds (reservation_id, order_id, status, expires_at_ms, lines) VALUES (?1, 'o1', 'released', 0, '[]')";
        for number in 0..MAX_HOLDS_PER_ORDER {
            tx.execute(add, params![&format!("a-{number}")])?;
        }
        Ok(())
    })
    .await;
    assert_eq!(shop.when(&dispatched("o1", "s1", &[(LENS, 3)]).seal()).await, Outcome::Handled(vec![]));
    assert_eq!((status(&shop, "o1").await, units(&shop, LENS).await), (Some(Status::Shipped), (7, 0)));
}
