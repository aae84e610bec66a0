//! `/reservations` keeps its contract.

use axum::Router;
use axum::http::StatusCode;
use events::{Ledger, Timestamp};
use runtime::clock;
use serde_json::{Value, json};
use stock::holds::Status;
use testkit::{Scenario, delete, post};

use crate::shop::*;

async fn doors() -> (Scenario, Router) {
    let shop = shop().await;
    let router = stock::doors(shop.transactor().store().clone(), Ledger::Inventory).open_house();
    (shop, router)
}

fn in_a_minute() -> Timestamp {
    clock::from_ms(clock::now_ms() + 60_000)
}

fn asked(order: &str, expires_at: Timestamp, held: &[(&str, u32)]) -> Value {
    json!({ "orderId": order, "reservationId": format!("{order}-hold"), "expiresAt": expires_at, "lines": lines(held) })
}

#[tokio::test]
async fn the_same_request_again_has_the_same_answer_and_holds_once() {
    let (shop, router) = doors().await;
    let body = asked("o1", in_a_minute(), &[(MUG, 2), (LENS, 3), (LENS, 1)]);
    let first = post(&router, "/reservations", &body).await;
    let expected = json!({ "reservationId": "o1-hold", "orderId": "o1", "expiresAt": body["expiresAt"] });
    assert_eq!((first.status, &first.body), (StatusCode::CREATED, &expected));
    assert_eq!(post(&router, "/reservations", &body).await, first);
    assert_eq!(units(&shop, LENS).await, (10, 4));
    assert_eq!(units(&shop, MUG).await, (5, 2));

    shop.when(&stock_reserved("o1", &[(MUG, 2), (LENS, 4)]).seal()).await;
    assert_eq!(status(&shop, "o1").await, Some(Status::Committed));
    assert_eq!(post(&router, "/reservations", &body).await, first);
    assert_eq!(units(&shop, LENS).await, (10, 4));
}

#[tokio::test]
async fn a_short_order_holds_nothing_and_learns_what_is_short() {
    let (shop, router) = doors().await;
    let short = asked("o1", in_a_minute(), &[(MUG, 6), (LENS, 3), (LENS, 8)]);
    let answer = post(&router, "/reservations", &short).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::CONFLICT, &json!("out_of_stock")));
    let errors = json!([
        { "path": "lines[0]", "problem": "wanted 6, available 5" },
        { "path": "lines[2]", "problem": "wanted 8, available 7" },
    ]);
    assert_eq!(answer.body["errors"], errors);
    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), ((10, 0), (5, 0)));
    assert_eq!(status(&shop, "o1").await, None);
    let enough = asked("o1", in_a_minute(), &[(MUG, 5)]);
    assert_eq!(post(&router, "/reservations", &enough).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    let (shop, router) = doors().await;
    let answer = post(&router, "/reservations", &asked("o1", in_a_minute(), &[(MUG, 1), ("GONE", 1)])).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("unknown_product")));
    assert_eq!(answer.body["errors"][0]["path"], "lines[1]");
    assert_eq!(units(&shop, MUG).await, (5, 0));
}

#[tokio::test]
async fn another_request_under_the_same_id_is_refused() {
    let (_shop, router) = doors().await;
    post(&router, "/reservations", &asked("o1", in_a_minute(), &[(MUG, 1)])).await;
    let mut other_order = asked("o2", in_a_minute(), &[(MUG, 1)]);
    other_order["reservationId"] = json!("o1-hold");
    for other in [asked("o1", in_a_minute(), &[(MUG, 2)]), other_order] {
        let answer = post(&router, "/reservations", &other).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::CONFLICT, &json!("reservation_conflict")));
    }
}

#[tokio::test]
async fn a_hold_is_given_up_once_and_stays_given_up() {
    let (shop, router) = doors().await;
    let body = asked("o1", in_a_minute(), &[(MUG, 2)]);
    post(&router, "/reservations", &body).await;
    for _ in 0..2 {
        assert_eq!(delete(&router, "/reservations/o1-hold").await.status, StatusCode::NO_CONTENT);
        assert_eq!(units(&shop, MUG).await, (5, 0));
    }
    let again = post(&router, "/reservations", &body).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("reservation_released")));
}

/// The request to give a hold up overtakes the request to make it.
#[tokio::test]
async fn a_hold_given_up_before_it_was_made_is_never_made() {
    let (shop, router) = doors().await;
    assert_eq!(delete(&router, "/reservations/o1-hold").await.status, StatusCode::NO_CONTENT);
    let late = post(&router, "/reservations", &asked("o1", in_a_minute(), &[(MUG, 2)])).await;
    assert_eq!((late.status, &late.body["code"]), (StatusCode::CONFLICT, &json!("reservation_released")));
    assert_eq!(units(&shop, MUG).await, (5, 0));
}

#[tokio::test]
async fn a_firm_hold_is_not_given_up() {
    let (shop, router) = doors().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    shop.when(&stock_reserved("o1", &[(LENS, 3)]).seal()).await;
    let firm = delete(&router, "/reservations/o1-hold").await;
    assert_eq!((firm.status, &firm.body["code"]), (StatusCode::CONFLICT, &json!("reservation_committed")));
    shop.when(&dispatched("o1", "s1", &[(LENS, 3)]).seal()).await;
    assert_eq!(delete(&router, "/reservations/o1-hold").await.status, StatusCode::CONFLICT);
    assert_eq!(units(&shop, LENS).await, (7, 0));
}

#[tokio::test]
async fn requests_out_of_bounds_are_refused() {
    let (shop, router) = doors().await;
    let good = asked("o1", in_a_minute(), &[(MUG, 1)]);
    let many: Vec<Value> = (0..101).map(|n| json!({ "productId": format!("P-{n}"), "quantity": 1 })).collect();
    let day_ms = 24 * 60 * 60 * 1000;
    for (field, wrong) in [
        ("orderId", json!("")),
        ("orderId", json!("a b")),
        ("reservationId", json!("x".repeat(65))),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(clock::from_ms(clock::now_ms() - 1))),
        ("expiresAt", json!(clock::from_ms(clock::now_ms() + 8 * day_ms))),
        ("lines", json!([])),
        ("lines", json!(many)),
        ("lines", json!([{ "productId": MUG, "quantity": 0 }])),
        ("lines", json!([{ "productId": MUG, "quantity": 10_001 }])),
        ("lines", json!([{ "productId": MUG, "quantity": -1 }])),
        ("lines", json!([{ "productId": MUG }])),
    ] {
        let mut body = good.clone();
        body[field] = wrong.clone();
        let answer = post(&router, "/reservations", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {wrong}");
        assert!(answer.body["errors"][0]["path"].as_str().unwrap().starts_with(field), "{:?}", answer.body);
    }
    assert_eq!(status(&shop, "o1").await, None);
}

#[tokio::test]
async fn two_orders_never_hold_the_same_unit() {
    let (shop, router) = doors().await;
    let tries = (0..16).map(|n| {
        let router = router.clone();
        tokio::spawn(async move {
            post(&router, "/reservations", &asked(&format!("o{n}"), in_a_minute(), &[(LENS, 3)])).await
        })
    });
    let mut made = 0;
    for answer in tries.collect::<Vec<_>>() {
        made += u32::from(answer.await.unwrap().status == StatusCode::CREATED);
    }
    assert_eq!(made, 3);
    assert_eq!(units(&shop, LENS).await, (10, 9));
}
