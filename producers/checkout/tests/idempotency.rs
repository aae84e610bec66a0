//! The same request again, at the same time, after a crash, and another one under its key.

mod support;

use futures::future::join_all;
use serde_json::json;
use support::{Fault, Shop, order, until};

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_says_nothing_more() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 2)]);
    let first = shop.place_as("key-1", &order).await;
    let calls = shop.edges().calls.len();
    let again = shop.place_as("key-1", &order).await;
    assert_eq!((again.status, &again.body, &again.headers), (201, &first.body, &first.headers));
    assert_eq!((shop.said().len(), shop.held(), shop.edges().calls.len()), (3, 2, calls));
}

#[tokio::test]
async fn a_rejection_is_remembered_too() {
    let shop = Shop::open().await;
    let order = order(&[("66VCHSJNUP", 4)]);
    let first = shop.place_as("key-1", &order).await;
    shop.edges().stock.insert("66VCHSJNUP".to_owned(), (1_249, 100));
    let again = shop.place_as("key-1", &order).await;
    assert_eq!((first.status, again.status, first.body), (409, 409, again.body));
    assert_eq!(shop.said_types(), ["order.rejected.v1"]);
}

#[tokio::test]
async fn a_key_serves_one_basket_only() {
    let shop = Shop::open().await;
    shop.place_as("key-1", &order(&[("OLJCESPC7Z", 2)])).await;
    let other = shop.place_as("key-1", &order(&[("OLJCESPC7Z", 3)])).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency_key_reused")));
    assert_eq!((shop.said().len(), shop.held()), (3, 2));
    let split = shop.place_as("key-1", &order(&[("OLJCESPC7Z", 1), ("OLJCESPC7Z", 1)])).await;
    assert_eq!(split.status, 201, "the same basket in other words");
}

#[tokio::test]
async fn the_same_key_at_the_same_time_makes_one_order() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 2), ("FURN-1", 1)]);
    let answers = join_all((0..8).map(|_| shop.place_as("key-1", &order))).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!((shop.said().len(), shop.held()), (4, 3));
}

#[tokio::test]
async fn two_baskets_racing_for_a_key_leave_one_order_and_its_holds() {
    let shop = Shop::open().await;
    let (one, other) = (order(&[("OLJCESPC7Z", 2)]), order(&[("OLJCESPC7Z", 5)]));
    let answers = join_all([shop.place_as("key-1", &one), shop.place_as("key-1", &other)]).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    let won = answers.iter().find(|answer| answer.status == 201).unwrap();
    assert_eq!((shop.said().len(), json!(shop.held())), (3, won.body["lines"][0]["quantity"].clone()));
}

/// The first try cannot have all its holds and gives back those it has. Meanwhile the second, which has the same ids, would have got all
/// of them and be about to confirm an order that has none.
#[tokio::test]
async fn a_try_that_fails_takes_nothing_from_the_one_beside_it() {
    let settings = |config: &mut checkout::Config| {
        config.fraud_timeout_ms = 1_500;
        config.order_timeout_ms = 20_000;
    };
    let shop = Shop::open_with(settings).await;
    let order = order(&[("OLJCESPC7Z", 2), ("FURN-1", 1)]);
    shop.edges().faults_while_holding.insert("furniture", Fault::Silent);
    let asks_furniture = || shop.edges().calls.iter().any(|call| call == "POST furniture/reservations");
    let second = async {
        until(asks_furniture).await;
        // From now on every hold is made, and the engine takes longer than the first try's ledgers.
        shop.edges().faults_while_holding.clear();
        shop.fault("fraud-engine", Fault::Silent);
        shop.place_as("key-1", &order).await
    };
    let (first, second) = futures::join!(shop.place_as("key-1", &order), second);
    assert_eq!((first.status, first.body["code"].as_str()), (503, Some("edge_unavailable")), "{}", first.body);
    assert_eq!((second.status, second.body["risk"].as_str()), (201, Some("UNKNOWN")), "{}", second.body);
    let messages: Vec<_> = shop.said().into_iter().map(Into::into).collect();
    let reserved = testkit::facts_of::<events::inventory::StockReserved>(&messages);
    let holds = shop.edges().holds.clone();
    assert!(reserved.iter().all(|fact| holds.contains_key(fact.reservation_id.as_str())), "{reserved:?} of {holds:?}");
    assert_eq!((reserved.len(), shop.held()), (2, 3));
}

#[tokio::test]
async fn two_customers_may_hit_upon_the_same_key() {
    let shop = Shop::open().await;
    let mut other = order(&[("OLJCESPC7Z", 2)]);
    other["customerId"] = json!("silver");
    let (one, other) = (order(&[("OLJCESPC7Z", 2)]), other);
    let answers = [shop.place_as("order-1", &one).await, shop.place_as("order-1", &other).await];
    let [first, second] = &answers;
    assert_eq!((first.status, second.status), (201, 201), "{}", second.body);
    assert_ne!(first.body["orderId"], second.body["orderId"]);
    assert_eq!(second.body["customerId"], "silver");
    assert_eq!(shop.place_as("order-1", &one).await.body, first.body);
    assert_eq!(shop.place_as("order-1", &other).await.body, second.body);
    assert_eq!((shop.said().len(), shop.held()), (6, 4));
}

#[tokio::test]
async fn requests_without_a_key_are_orders_of_their_own() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 1)]);
    let ids = join_all((0..4).map(|_| shop.place(&order))).await;
    let ids: std::collections::BTreeSet<_> = ids.iter().map(|answer| answer.body["orderId"].to_string()).collect();
    assert_eq!((ids.len(), shop.held()), (4, 4));
}

#[tokio::test]
async fn a_503_may_be_tried_again_under_its_key() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 1), ("FURN-1", 1)]);
    shop.fault("furniture", Fault::CannotHold);
    assert_eq!(shop.place_as("key-1", &order).await.status, 503);
    shop.edges().faults.clear();
    // The first try gave its holds back, so their ids are used up: the second makes others.
    let again = shop.place_as("key-1", &order).await;
    assert_eq!((again.status, shop.held(), shop.said().len()), (201, 2, 4), "{}", again.body);
}

#[tokio::test]
async fn a_crash_between_hold_and_commit_leaves_only_a_hold_that_the_next_try_takes_up() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 2)]);
    dies_while_scoring(&shop, &order, 2).await;
    assert_eq!((shop.said().len(), shop.unsent().await, shop.held()), (0, 0, 2));
    assert_eq!(shop.get("/orders").await.body["orders"], json!([]));

    assert_eq!(shop.place_as("key-1", &order).await.status, 201);
    assert_eq!((shop.said().len(), shop.held()), (3, 2));
}

#[tokio::test]
async fn the_last_units_that_a_crash_left_held_are_not_out_of_stock_for_the_next_try() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 2)]);
    dies_while_scoring(&shop, &order, 2).await;
    shop.edges().stock.get_mut("OLJCESPC7Z").expect("a product").1 = 0;

    let other = shop.place_as("key-2", &order).await;
    assert_eq!((other.status, other.body["code"].as_str(), shop.held()), (409, Some("out_of_stock"), 2));
    assert_eq!(shop.place_as("key-1", &order).await.status, 201);
    assert_eq!(shop.held(), 2);
}

/// A process that dies after it has held so many units: the engine's answer is still awaited when the whole of it goes.
async fn dies_while_scoring(shop: &Shop, order: &serde_json::Value, units: u64) {
    shop.fault("fraud-engine", Fault::Silent);
    let config = checkout::Config { fraud_timeout_ms: 60_000, ..shop.config.clone() };
    let doomed = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let doors = checkout::doors(shop.transactor.clone(), &config, &runtime::Identity::open_house(), &shop.metrics);
    let router = doors.open_house();
    let request = axum::http::Request::builder().method("POST").uri("/orders").header("idempotency-key", "key-1");
    let request = request.body(axum::body::Body::from(order.to_string())).expect("a request");
    doomed.spawn(async move { tower::ServiceExt::oneshot(router, request).await });
    until(|| shop.held() == units).await;
    doomed.shutdown_background();
    shop.edges().faults.clear();
}

/// The second try holds under another id than the first, which was given back. When it dies as well, a third id would leave its units
/// held for an order that has others.
#[tokio::test]
async fn a_crash_of_a_second_try_leaves_only_a_hold_that_the_third_takes_up() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 2), ("FURN-1", 1)]);
    shop.fault("furniture", Fault::CannotHold);
    assert_eq!(shop.place_as("key-1", &order).await.status, 503);
    assert_eq!((shop.held(), shop.edges().released.len()), (0, 2));
    shop.edges().faults.clear();
    dies_while_scoring(&shop, &order, 3).await;

    assert_eq!(shop.place_as("key-1", &order).await.status, 201);
    assert_eq!((shop.said().len(), shop.held()), (4, 3));
}

#[tokio::test]
async fn a_hold_of_an_earlier_try_that_is_about_to_lapse_is_made_anew() {
    let shop = Shop::open().await;
    shop.edges().lapses_at = Some("2020-01-01T00:00:00Z".to_owned());
    let answer = shop.place_as("key-1", &order(&[("OLJCESPC7Z", 2)])).await;
    assert_eq!((answer.status, shop.held(), shop.edges().released.len()), (201, 2, 1));
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_its_order_half_way() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 1)]);
    {
        let placing = shop.place_as("key-1", &order);
        tokio::pin!(placing);
        // Polled until the first edge was asked, then dropped.
        while shop.edges().calls.is_empty() {
            tokio::select! {
                biased;
                _ = &mut placing => panic!("answered before any edge was asked"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    until(|| shop.said().len() == 3).await;
    assert_eq!(shop.place_as("key-1", &order).await.status, 201);
    assert_eq!((shop.said().len(), shop.held()), (3, 1));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 1)]).to_string();
    let long = "k".repeat(129);
    for key in ["", "a b", "caf\u{e9}", &long] {
        let answer = shop.send(order.clone(), &[("idempotency-key", key)]).await;
        assert_eq!((answer.status, answer.body["errors"][0]["path"].as_str()), (400, Some("Idempotency-Key")), "{key}");
    }
    let twice = shop.send(order.clone(), &[("idempotency-key", "a"), ("idempotency-key", "b")]).await;
    assert_eq!(twice.status, 400);
    assert_eq!(shop.send(order, &[("idempotency-key", &long[..128])]).await.status, 201);
}
