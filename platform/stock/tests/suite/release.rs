//! `order.cancelled` gives back what the order holds.

use events::inventory::{StockRejected, StockReleased};
use runtime::Outcome;
use stock::holds::Status;

use crate::shop::*;

#[tokio::test]
async fn a_firm_hold_is_released_once_however_often_the_order_is_cancelled() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 5)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3), (MUG, 5)]).seal()).await;

    let first = shop.when(&cancelled("o1")).await;
    let again = shop.when(&cancelled("o1")).await;

    assert!(matches!(first, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(again, Outcome::Duplicate);
    let released = shop.said_facts::<StockReleased>();
    assert_eq!(released.len(), 1);
    assert!(stock::decide::same_units(&released[0].lines, &lines(&[(LENS, 3), (MUG, 5)])));
    assert_eq!(units(&shop, LENS).await, (10, 0));
    assert_eq!(units(&shop, MUG).await, (5, 0));
}

/// The cancellation overtakes the reservation: the units must not become firm afterwards.
#[tokio::test]
async fn a_hold_cancelled_before_it_was_firm_never_becomes_firm() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&cancelled("o1")).await;
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    assert_eq!(shop.said_facts::<StockReleased>().len(), 1);
    assert_eq!(shop.said_facts::<StockRejected>().len(), 1);
    assert_eq!(status(&shop, "o1").await, Some(Status::Released));
    assert_eq!(units(&shop, LENS).await, (10, 0));
}

#[tokio::test]
async fn an_order_without_a_hold_is_cancelled_in_silence_and_gets_none_afterwards() {
    let shop = shop().await;
    assert_eq!(shop.when(&cancelled("o1")).await, Outcome::Handled(vec![]));
    let late = hold(&shop, "o1", &[(LENS, 3)]).await;
    assert_eq!(late.map_err(|problem| (problem.status, problem.code)), Err((409, "order_cancelled".to_owned())));
    assert_eq!(units(&shop, LENS).await, (10, 0));
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    assert_eq!(shop.said_facts::<StockRejected>().len(), 1);
}

#[tokio::test]
async fn what_was_shipped_is_not_released() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    shop.when(&dispatched("o1", "s1", &[(LENS, 3)]).seal()).await;
    assert_eq!(shop.when(&cancelled("o1")).await, Outcome::Handled(vec![]));
    assert_eq!(units(&shop, LENS).await, (7, 0));
}

#[tokio::test]
async fn other_orders_keep_their_holds() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    hold(&shop, "o2", &[(LENS, 4)]).await.unwrap();
    shop.when(&cancelled("o1")).await;
    assert_eq!(units(&shop, LENS).await, (10, 4));
}
