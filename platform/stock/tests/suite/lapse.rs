//! `platform.minute_elapsed` ends the holds whose deadline passed.

use events::inventory::{StockRejected, StockReleased};
use runtime::Outcome;
use stock::holds::{self, Status};
use stock::limits::MAX_LAPSES_PER_MINUTE;
use store::params;
use testkit::{Scenario, T0, facts_of};

use crate::shop::*;

fn released(outcome: &Outcome) -> Vec<StockReleased> {
    match outcome {
        Outcome::Handled(messages) => facts_of(messages),
        other => panic!("{other:?}"),
    }
}

async fn held(shop: &Scenario) -> i64 {
    let count = "SELECT COUNT(*) FROM holds WHERE status = 'held'";
    shop.read(move |tx| tx.query_opt(count, &[], |row| row.get_i64(0))).await.unwrap()
}

#[tokio::test]
async fn a_hold_lapses_with_the_minute_of_its_deadline_once_however_often_the_minute_comes() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3), (MUG, 5)]).await.unwrap();
    hold(&shop, "o2", &[(LENS, 2)]).await.unwrap();

    assert_eq!(released(&shop.when(&minute(DEADLINE - 1)).await), [], "a minute too early");
    assert_eq!(units(&shop, LENS).await, (10, 5));
    let first = shop.when(&minute(DEADLINE)).await;
    let again = shop.when(&minute(DEADLINE)).await;
    let next = shop.when(&minute(DEADLINE + 60_000)).await;

    let orders: Vec<String> = released(&first).iter().map(|fact| fact.order_id.to_string()).collect();
    assert_eq!(orders, ["o1", "o2"]);
    assert!(stock::decide::same_units(&released(&first)[0].lines, &lines(&[(LENS, 3), (MUG, 5)])));
    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(released(&next), []);
    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), ((10, 0), (5, 0)));
    assert_eq!(status(&shop, "o1").await, Some(Status::Released));
}

#[tokio::test]
async fn a_reservation_that_comes_after_its_hold_lapsed_is_rejected_once_and_takes_nothing() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&minute(DEADLINE)).await;
    // Said in time, and late on its way: what lapsed may have been sold to somebody else.
    hold(&shop, "o2", &[(LENS, 10)]).await.unwrap();
    let reserved = stock_reserved("o1", &[(LENS, 3)]).seal();

    shop.when(&reserved).await;
    let again = shop.when(&reserved).await;

    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(shop.said_facts::<StockRejected>().len(), 1);
    assert_eq!(units(&shop, LENS).await, (10, 10));
}

#[tokio::test]
async fn a_firm_hold_never_lapses() {
    let shop = shop().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    assert_eq!(released(&shop.when(&minute(DEADLINE + 1)).await), []);
    assert_eq!(status(&shop, "o1").await, Some(Status::Committed));
    assert_eq!(units(&shop, LENS).await, (10, 3));
}

#[tokio::test]
async fn more_holds_than_a_minute_ends_lapse_in_the_next() {
    let shop = shop().await;
    let all = i64::from(MAX_LAPSES_PER_MINUTE) + 1;
    shop.given(move |tx| {
        tx.execute("UPDATE stock SET stock_level = ?2, reserved = ?2 WHERE product_id = ?1", params![LENS, all])?;
        let lines = format!(r#"[{{"productId":"{LENS}","quantity":1}}]"#);
        for number in 0..all {
            let id = format!("hold-{number}");
            let add = "INSERT INTO holds (reservation_id, order_id, status, expires_at_ms, lines)
                VALUES (?1, ?1, 'held', ?2, ?3)";
            tx.execute(add, params![&id, T0 + number, &lines])?;
        }
        Ok(())
    })
    .await;

    assert_eq!(released(&shop.when(&minute(DEADLINE)).await).len(), 1_000);
    // Those that lapsed first went first.
    let last = format!("hold-{MAX_LAPSES_PER_MINUTE}").parse().unwrap();
    let left = shop.read(move |tx| holds::find(tx, &last)).await.unwrap();
    assert_eq!((held(&shop).await, left.status), (1, Status::Held));
    assert_eq!(released(&shop.when(&minute(DEADLINE + 60_000)).await).len(), 1);
    assert_eq!(shop.read(|tx| stock::products::find(tx, &LENS.parse().unwrap())).await.unwrap().reserved, 0);
}

#[tokio::test]
async fn a_minute_far_ahead_of_our_own_clock_ends_only_what_lapsed_by_ours() {
    let shop = shop().await;
    hold(&shop, "lapsed", &[(LENS, 3)]).await.unwrap();
    hold(&shop, "running", &[(LENS, 2)]).await.unwrap();
    let (now_ms, hour_ms) = (runtime::clock::now_ms(), 3_600_000);
    shop.given(move |tx| {
        let later = "UPDATE holds SET expires_at_ms = ?1 WHERE reservation_id = 'running-hold'";
        tx.execute(later, params![now_ms + hour_ms])
    })
    .await;
    shop.when(&minute(now_ms + 2 * hour_ms)).await;
    assert_eq!(status(&shop, "lapsed").await, Some(Status::Released));
    assert_eq!(status(&shop, "running").await, Some(Status::Held));
}
