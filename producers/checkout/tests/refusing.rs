//! Orders that are refused: bad input says nothing, a rejection is kept and said, and nothing stays held.

mod support;

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use events::order::{OrderRejected, RejectionReason};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{Fate, Gate, StoreError, Tx, params};
use support::{Fault, Shop, order};
use testkit::facts_of;

async fn rejection(shop: &Shop, order: &Value, status: u16, code: &str, reason: RejectionReason) -> Value {
    let answer = shop.place(order).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(shop.held(), 0);
    let messages: Vec<_> = shop.said().into_iter().map(Into::into).collect();
    assert_eq!(shop.said_types(), ["order.rejected.v1"]);
    let fact = facts_of::<OrderRejected>(&messages).remove(0);
    assert_eq!(fact.reason, reason);
    let kept = shop.get(&format!("/orders/{}", fact.order_id)).await;
    assert_eq!(
        (kept.status, &kept.body["problem"], kept.body["status"].as_str()),
        (200, &answer.body, Some("rejected"))
    );
    answer.body
}

#[tokio::test]
async fn missing_units_are_named_line_by_line() {
    let shop = Shop::open().await;
    let order = order(&[("OLJCESPC7Z", 1), ("66VCHSJNUP", 4)]);
    let problem = rejection(&shop, &order, 409, "out_of_stock", RejectionReason::OutOfStock).await;
    assert_eq!(problem["errors"], json!([{ "path": "lines[1]", "problem": "wanted 4, available 3" }]));
}

#[tokio::test]
async fn a_dish_that_is_off_the_menu_is_out_of_stock() {
    let shop = Shop::open().await;
    rejection(&shop, &order(&[("FOOD-2", 1)]), 409, "out_of_stock", RejectionReason::OutOfStock).await;
}

#[tokio::test]
async fn units_gone_while_holding_reject_the_order_and_free_the_other_ledger() {
    let shop = Shop::open().await;
    // The first ledger to be asked says no; the lines of the client are counted over both.
    shop.edges().lapses_at = Some("never held".to_owned());
    let order = order(&[("FURN-1", 1), ("OLJCESPC7Z", 1)]);
    let problem = rejection(&shop, &order, 409, "out_of_stock", RejectionReason::OutOfStock).await;
    let paths: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    assert_eq!(paths, ["lines[1]", "lines[0]"]);
}

#[tokio::test]
async fn unknown_and_suspended_customers_are_rejected() {
    for (customer, code) in [("nobody", "unknown_customer"), ("suspended", "customer_suspended")] {
        let shop = Shop::open().await;
        let mut order = order(&[("OLJCESPC7Z", 1)]);
        order["customerId"] = json!(customer);
        rejection(&shop, &order, 422, code, RejectionReason::UnknownCustomer).await;
    }
}

#[tokio::test]
async fn a_high_risk_frees_the_units() {
    let shop = Shop::open().await;
    shop.edges().risk = "HIGH";
    let order = order(&[("OLJCESPC7Z", 1), ("FURN-1", 1)]);
    rejection(&shop, &order, 403, "high_risk", RejectionReason::HighRisk).await;
    assert_eq!(shop.edges().released.len(), 2);
}

#[tokio::test]
async fn an_unknown_product_is_bad_input() {
    for id in ["NOSUCH", "FURN-9", "FOOD-9", "FOOD-x"] {
        let shop = Shop::open().await;
        let answer = shop.place(&order(&[("OLJCESPC7Z", 1), (id, 1)])).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (422, Some("unknown_product")), "{id}");
        assert_eq!(answer.body["errors"][0]["path"], "lines[1]");
        assert_eq!((shop.said().len(), shop.held()), (0, 0));
        assert_eq!(shop.get("/orders").await.body["orders"], json!([]));
    }
}

#[tokio::test]
async fn a_required_edge_that_fails_refuses_the_order_and_holds_nothing() {
    let order = order(&[("OLJCESPC7Z", 1), ("FURN-1", 1), ("FOOD-1", 1)]);
    for edge in ["crm", "inventory", "furniture", "food"] {
        for fault in [Fault::Broken, Fault::Silent, Fault::Garbled] {
            let shop = Shop::open().await;
            shop.fault(edge, fault);
            let answer = shop.place(&order).await;
            assert_eq!(
                (answer.status, answer.body["code"].as_str()),
                (503, Some("edge_unavailable")),
                "{edge} {fault:?}"
            );
            assert!(answer.body["detail"].as_str().unwrap().starts_with(edge), "{}", answer.body);
            assert_eq!((shop.said().len(), shop.held()), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_hold_frees_the_other_one() {
    for (edge, fault) in
        [("inventory", Fault::CannotHold), ("furniture", Fault::CannotHold), ("furniture", Fault::LosesHold)]
    {
        let shop = Shop::open().await;
        shop.fault(edge, fault);
        let answer = shop.place(&order(&[("OLJCESPC7Z", 1), ("FURN-1", 1)])).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (503, Some("edge_unavailable")));
        assert_eq!((shop.said().len(), shop.held()), (0, 0), "{edge} {fault:?}");
    }
}

#[tokio::test]
async fn a_silent_fraud_engine_leaves_the_risk_unknown_and_the_order_confirmed() {
    for fault in [Fault::Broken, Fault::Silent, Fault::Garbled] {
        let shop = Shop::open().await;
        shop.fault("fraud-engine", fault);
        let answer = shop.place(&order(&[("OLJCESPC7Z", 1)])).await;
        assert_eq!((answer.status, answer.body["risk"].as_str()), (201, Some("UNKNOWN")));
        let said = shop.said().remove(0);
        assert_eq!(said.extensions["risk"], "UNKNOWN");
        // Whoever has it scored later needs to know what the engine would have been told.
        let fact = said.decode::<events::order::OrderConfirmed>().unwrap().data;
        assert_eq!((fact.shipping_country.as_deref(), fact.billing_country.as_deref()), (Some("US"), Some("US")));
    }
}

#[tokio::test]
async fn a_database_that_cannot_commit_refuses_the_order_and_frees_the_units() {
    let shop = Shop::open().await;
    shop.transactor.store().clone().close().await;
    let answer = shop.place(&order(&[("OLJCESPC7Z", 1)])).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (503, Some("database_unavailable")), "{}", answer.body);
    assert_eq!((shop.held(), shop.edges().released.len()), (0, 1));
}

/// What a database says of the first commit, and whether that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commit {
    /// It is undone, and the connection is broken.
    Breaks,
    /// It is made, and the connection breaks before anybody is told.
    IsNotTold,
    /// It is made, nobody is told, and there is no other connection.
    IsNotToldByAnybody,
    /// The disk is full, also for whoever asks again.
    FindsNoRoom,
}

const KEPT: &str = "SELECT order_id, customer_id, status, status_code, total_minor, response, idempotency_key,
    fingerprint, placed_at_ms FROM orders";
const KEEP: &str = "INSERT INTO orders
    (order_id, customer_id, status, status_code, total_minor, response, idempotency_key, fingerprint, placed_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// The texts and numbers of a row that was committed and not told.
type Kept = ([String; 4], [i64; 3], [Option<String>; 2]);

struct Link {
    commit: Commit,
    commits: AtomicU32,
    kept: Mutex<Option<Kept>>,
}

impl Link {
    fn new(commit: Commit) -> Arc<Self> {
        Arc::new(Self { commit, commits: AtomicU32::new(0), kept: Mutex::default() })
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable { reason: "connection reset".to_owned() }
}

impl Gate for Link {
    fn enter(&self) -> Fate {
        match (self.commits.load(Ordering::Relaxed), self.commit) {
            (1.., Commit::IsNotToldByAnybody) => Fate::Refused(broken()),
            _ => Fate::Runs,
        }
    }

    fn leave(&self, tx: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError> {
        if !keeps {
            return Ok(false);
        }
        let is_first = self.commits.fetch_add(1, Ordering::Relaxed) == 0;
        match self.commit {
            Commit::FindsNoRoom => Err(StoreError::DiskFull { reason: "no space left".to_owned() }),
            _ if !is_first => Ok(true),
            Commit::Breaks => Err(broken()),
            Commit::IsNotTold | Commit::IsNotToldByAnybody => {
                *self.kept.lock().expect("nobody panics while it is held") = tx.query_opt(KEPT, &[], |row| {
                    let texts = [row.get_text(0)?, row.get_text(1)?, row.get_text(2)?, row.get_text(5)?];
                    let numbers = [row.get_i64(3)?, row.get_i64(4)?, row.get_i64(8)?];
                    Ok((texts, numbers, [row.get_opt_text(6)?, row.get_opt_text(7)?]))
                })?;
                Err(broken())
            }
        }
    }

    fn undone(&self, tx: &mut Tx<'_>) {
        if let Some(([order_id, customer, status, response], [code, total, at], [key, print])) =
            self.kept.lock().expect("nobody panics while it is held").take()
        {
            let values = params![&order_id, &customer, &status, code, total, &response, &key, &print, at];
            tx.execute(KEEP, values).expect("a row that fitted a moment ago");
        }
    }

    fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// The status a client gets, units still held, and holds given back.
async fn placed_over(link: Commit, key: Option<&str>) -> (u16, u64, usize) {
    let shop = Shop::open_behind(Link::new(link)).await;
    let order = order(&[("OLJCESPC7Z", 2), ("FURN-1", 1)]);
    let answer = match key {
        Some(key) => shop.place_as(key, &order).await,
        None => shop.place(&order).await,
    };
    if answer.status == 201 {
        let path = format!("/orders/{}", answer.body["orderId"].as_str().expect("an order has an id"));
        assert_eq!(shop.get(&path).await.body["total"], answer.body["total"], "it is in the books");
    } else {
        assert_eq!(answer.body["code"], "database_unavailable");
    }
    let released = shop.edges().released.len();
    (answer.status, shop.held(), released)
}

#[tokio::test]
async fn an_order_that_was_committed_though_nobody_said_so_is_confirmed_and_keeps_its_units() {
    for key in [None, Some("key-1")] {
        assert_eq!(placed_over(Commit::IsNotTold, key).await, (201, 3, 0), "{key:?}");
    }
}

#[tokio::test]
async fn an_order_whose_commit_broke_and_left_nothing_frees_its_units() {
    for key in [None, Some("key-1")] {
        assert_eq!(placed_over(Commit::Breaks, key).await, (503, 0, 2), "{key:?}");
        assert_eq!(placed_over(Commit::FindsNoRoom, key).await, (503, 0, 2), "{key:?}");
    }
}

#[tokio::test]
async fn units_of_an_order_that_may_have_been_committed_are_left_to_lapse() {
    for key in [None, Some("key-1")] {
        assert_eq!(placed_over(Commit::IsNotToldByAnybody, key).await, (503, 3, 0), "{key:?}");
    }
}

#[tokio::test]
async fn a_bad_field_is_named_and_nobody_is_asked() {
    let shop = Shop::open().await;
    let line = json!({ "productId": "OLJCESPC7Z", "quantity": 1 });
    let with = |member: &str, value: Value| {
        let mut order = order(&[("OLJCESPC7Z", 1)]);
        order[member] = value;
        order
    };
    let cases = [
        (json!(null), "body"),
        (json!([]), "body"),
        (with("customerId", json!(7)), "customerId"),
        (with("customerId", json!("a/b")), "customerId"),
        (with("lines", json!([])), "lines"),
        (with("lines", json!({})), "lines"),
        (with("lines", json!(vec![line; 101])), "lines"),
        (with("lines", json!([{ "productId": "A", "quantity": 0 }])), "lines[0].quantity"),
        (with("lines", json!([{ "productId": "A", "quantity": 10_001 }])), "lines[0].quantity"),
        (with("lines", json!([{ "productId": "A", "quantity": -1 }])), "lines[0].quantity"),
        (with("lines", json!([{ "productId": "A", "quantity": 1.5 }])), "lines[0].quantity"),
        (with("lines", json!([{ "productId": "A", "quantity": "1" }])), "lines[0].quantity"),
        (with("lines", json!([{ "productId": "", "quantity": 1 }])), "lines[0].productId"),
        (with("lines", json!([{ "productId": "A,B", "quantity": 1 }])), "lines[0].productId"),
        (with("shippingCountry", json!("usa")), "shippingCountry"),
        (with("deviceId", json!("")), "deviceId"),
        (with("addressHash", json!("1 Main St")), "addressHash"),
        (with("localHour", json!(24)), "localHour"),
        (with("localHour", json!("noon")), "localHour"),
        (with("currencyCode", json!(840)), "currencyCode"),
    ];
    for (order, path) in cases {
        let answer = shop.place(&order).await;
        assert_eq!((answer.status, answer.body["errors"][0]["path"].as_str()), (400, Some(path)), "{order}");
    }
    let answer = shop.place(&with("currencyCode", json!("EUR"))).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (422, Some("unsupported_currency")));
    assert_eq!(shop.place(&with("currencyCode", json!("USD"))).await.status, 201);
    assert_eq!(shop.edges().calls.len(), 4);
}

#[tokio::test]
async fn hostile_bytes_are_refused_and_never_an_error_of_ours() {
    let shop = Shop::open().await;
    let deep = "[".repeat(100_000);
    let huge = format!("{{\"customerId\":\"{}\"}}", "x".repeat(70_000));
    let duplicate = r#"{"customerId":"a","customerId":"b","lines":[]}"#;
    let bodies: [&[u8]; 7] = [b"", b"\xff\xfe", b"{", deep.as_bytes(), huge.as_bytes(), duplicate.as_bytes(), b"1e999"];
    for body in bodies {
        let answer = shop.send(body.to_vec(), &[]).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
    }
    assert_eq!(shop.edges().calls.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_json_is_answered_without_an_error_of_ours(
        customer in "[\\x00-\\x7f]{0,70}", product in "\\PC{0,20}", quantity in any::<i64>(), key in "[ -~]{0,140}",
    ) {
        let run = async {
            let shop = Shop::open().await;
            let body = json!({ "customerId": customer, "lines": [{ "productId": product, "quantity": quantity }] });
            shop.send(body.to_string(), &[("idempotency-key", &key)]).await.status
        };
        let status = tokio::runtime::Runtime::new().unwrap().block_on(run);
        prop_assert!(status < 500, "{status}");
    }
}
