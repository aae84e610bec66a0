//! `inventory.stock_reserved` makes a hold firm or says why not.

use events::Ledger;
use events::inventory::{Shortage, StockCommitted, StockLow, StockRejected, StockReserved};
use runtime::Outcome;
use stock::holds::Status;
use testkit::{Scenario, event, facts_of};

use crate::shop::*;

fn said(outcome: &Outcome) -> (Vec<StockCommitted>, Vec<StockRejected>, Vec<StockLow>) {
    match outcome {
        Outcome::Handled(messages) => (facts_of(messages), facts_of(messages), facts_of(messages)),
        other => panic!("{other:?}"),
    }
}

async fn commit(shop: &Scenario, order: &str, held: &[(&str, u32)]) -> (usize, usize, Vec<StockLow>) {
    let outcome = shop.when(&stock_reserved(order, held).seal()).await;
    let (committed, rejected, low) = said(&outcome);
    (committed.len(), rejected.len(), low)
}

#[tokio::test]
async fn a_hold_becomes_firm_once_however_often_it_is_delivered() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 1)]).await.unwrap();
    let reserved = stock_reserved("o1", &[(LENS, 3), (MUG, 1)]).seal();

    let first = shop.when(&reserved).await;
    let again = shop.when(&reserved).await;

    let expected = StockCommitted {
        order_id: "o1".parse().unwrap(),
        reservation_id: "o1-hold".parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: lines(&[(LENS, 3), (MUG, 1)]),
    };
    assert_eq!(said(&first), (vec![expected.clone()], vec![], vec![]));
    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(shop.said_facts::<StockCommitted>(), vec![expected]);
    assert_eq!(outbox_len(&shop).await, 1);
    assert_eq!(status(&shop, "o1").await, Some(Status::Committed));
    assert_eq!(units(&shop, LENS).await, (10, 3));
    assert_eq!(units(&shop, MUG).await, (5, 1));
}

/// A hold lapses before its order is confirmed, and Pub/Sub delivers the event twice. The shop must say no exactly
/// once and must not keep the units.
#[tokio::test]
async fn lapsed_hold_is_rejected_once_and_keeps_nothing() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let reserved = stock_reserved("o1", &[(LENS, 3)]).at(DEADLINE).seal();

    let first = shop.when(&reserved).await;
    let again = shop.when(&reserved).await;

    let shortage = Shortage { product_id: LENS.parse().unwrap(), wanted: 3, available: 0 };
    let (committed, rejected, low) = said(&first);
    assert_eq!((committed, low), (vec![], vec![]));
    assert_eq!(rejected.iter().map(|fact| fact.shortages.clone()).collect::<Vec<_>>(), vec![vec![shortage]]);
    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(outbox_len(&shop).await, 1);
    assert_eq!(units(&shop, LENS).await, (10, 0));
    assert_eq!(status(&shop, "o1").await, Some(Status::Released));
}

#[tokio::test]
async fn the_time_of_the_event_counts_and_not_the_time_of_its_delivery() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let in_time = stock_reserved("o1", &[(LENS, 3)]).at(DEADLINE - 1).seal();
    assert_eq!(said(&shop.when(&in_time).await).0.len(), 1, "delivered long after the deadline");
}

#[tokio::test]
async fn a_hold_that_was_never_made_is_rejected() {
    let shop = shop().await;
    assert_eq!(commit(&shop, "o1", &[(LENS, 3)]).await, (0, 1, vec![]));
    assert_eq!(units(&shop, LENS).await, (10, 0));
}

#[tokio::test]
async fn asked_by_another_event_the_answer_is_the_same_and_has_no_second_effect() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    let again = shop.when(&stock_reserved("o1", &[(LENS, 3)]).number(2).seal()).await;
    assert_eq!(said(&again).0.len(), 1);
    assert_eq!(units(&shop, LENS).await, (10, 3));
}

#[tokio::test]
async fn units_of_the_other_ledger_are_not_ours() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let theirs = event(StockReserved {
        order_id: "o1".parse().unwrap(),
        reservation_id: "o1-hold".parse().unwrap(),
        ledger: Ledger::Furniture,
        lines: lines(&[(LENS, 3)]),
        expires_at: events::Timestamp::from_millisecond(DEADLINE).unwrap(),
    });
    assert_eq!(shop.when(&theirs.seal()).await, Outcome::Handled(vec![]));
    assert_eq!(status(&shop, "o1").await, Some(Status::Held));
}

#[tokio::test]
async fn a_hold_of_another_order_or_of_other_units_is_a_dead_letter() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let other_units = shop.when(&stock_reserved("o1", &[(LENS, 4)]).seal()).await;
    assert_eq!(dead_letter_code(&other_units), Some("illegal_state"));

    let other_order = event(StockReserved {
        order_id: "o2".parse().unwrap(),
        reservation_id: "o1-hold".parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: lines(&[(LENS, 3)]),
        expires_at: events::Timestamp::from_millisecond(DEADLINE).unwrap(),
    });
    assert_eq!(dead_letter_code(&shop.when(&other_order.seal()).await), Some("illegal_state"));
    assert_eq!(status(&shop, "o1").await, Some(Status::Held));
}

#[tokio::test]
async fn a_product_is_said_to_be_low_once_until_it_recovers() {
    let shop = shop().await;
    for (order, quantity, falls) in [("o1", 6, false), ("o2", 1, true), ("o3", 1, false)] {
        hold(&shop, order, &[(LENS, quantity)]).await.unwrap();
        let (_, _, low) = commit(&shop, order, &[(LENS, quantity)]).await;
        assert_eq!(low.len(), usize::from(falls), "{order}");
        for fact in low {
            assert_eq!((fact.available, fact.threshold, fact.order_id.as_str()), (3, 4, "o2"));
        }
    }
    shop.when(&cancelled("o1")).await;
    hold(&shop, "o4", &[(LENS, 5)]).await.unwrap();
    assert_eq!(commit(&shop, "o4", &[(LENS, 5)]).await.2.len(), 1, "it had recovered to 8 and fell to 3");
}

#[tokio::test]
async fn every_low_product_of_a_long_order_is_found() {
    let shop = shop().await;
    let ids: Vec<String> = (0..40).map(|number| format!("P-{number:02}")).collect();
    let bulk: Vec<_> = ids
        .iter()
        .map(|id| {
            serde_json::json!({"productId": id, "name": "P", "category": "C",
        "unitPrice": {"currencyCode": "USD", "units": 1, "nanos": 0}, "stockLevel": 5})
        })
        .collect();
    let router = stock::doors(shop.transactor().store().clone(), Ledger::Inventory).open_house();
    testkit::put(&router, "/inventory", &serde_json::json!(bulk)).await;
    shop.given(|tx| tx.execute("UPDATE stock SET low_threshold = 5", &[])).await;
    for count in [1, 2, 4, 5, 16, 17, 33] {
        let order = format!("o{count}");
        let held: Vec<(&str, u32)> = ids.iter().take(count).map(|id| (id.as_str(), 1)).collect();
        shop.given(|tx| tx.execute("UPDATE stock SET low_said = 0, reserved = 0, stock_level = 5", &[])).await;
        hold(&shop, &order, &held).await.unwrap();
        assert_eq!(commit(&shop, &order, &held).await.2.len(), count);
    }
}

#[tokio::test]
async fn a_crash_between_commit_and_ack_neither_loses_nor_repeats_the_answer() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let reserved = stock_reserved("o1", &[(LENS, 3)]).seal();
    shop.bus().refuse(true);
    assert!(matches!(shop.when(&reserved).await, Outcome::Handled(_)));
    assert_eq!((unsent(&shop).await, shop.said().len()), (1, 0));

    assert_eq!(shop.when(&reserved).await, Outcome::Duplicate);
    assert_eq!(unsent(&shop).await, 1);

    shop.bus().refuse(false);
    shop.transactor().publisher().relay_once().await.unwrap();
    shop.transactor().publisher().relay_once().await.unwrap();
    assert_eq!(shop.said_facts::<StockCommitted>().len(), 1);
    assert_eq!(units(&shop, LENS).await, (10, 3));
}
