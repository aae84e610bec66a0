//! Time through the whole choreography: minutes from the scheduler, over real topics, make holds lapse and silent orders stuck.

#![allow(clippy::unwrap_used)]

use boutique_tests::{Shop, eventually};
use events::order::OrderStuck;
use events::{Fact, Timestamp};
use runtime::{Story, clock};
use serde_json::{Value, json};

const LENS: &str = "66VCHSJNUP";
/// Minutes as short as the scheduler makes them, and steps that are late soon.
const FAST: [(&str, &str); 4] = [
    ("BOUTIQUE_MINUTE_MS", "100"),
    ("BOUTIQUE_DEADLINE_STOCK_MS", "300"),
    ("BOUTIQUE_DEADLINE_INVOICE_MS", "300"),
    ("BOUTIQUE_DEADLINE_DISPATCH_MS", "60000"),
];

async fn reserved(shop: &Shop) -> i64 {
    let item: Value = shop.peer("inventory").get(&format!("/inventory/{LENS}")).await.unwrap();
    item["reserved"].as_i64().unwrap()
}

#[tokio::test]
async fn a_hold_that_checkout_forgot_lapses_with_a_minute() {
    let shop = Shop::open_with(&FAST).await;
    let before = reserved(&shop).await;
    let expires_at: Timestamp = clock::from_ms(clock::now_ms() + 500);
    let hold = json!({ "orderId": "forgotten", "reservationId": "forgotten-hold", "expiresAt": expires_at,
                       "lines": [{ "productId": LENS, "quantity": 2 }] });
    let _: Value = shop.peer("inventory").post("/reservations", &hold).await.unwrap();
    assert_eq!(reserved(&shop).await, before + 2);

    eventually("the hold to lapse", async || {
        let now = reserved(&shop).await;
        if now == before { Ok(()) } else { Err(format!("{now} reserved")) }
    })
    .await;

    let story: Story = shop.peer("inventory").get("/events/forgotten").await.unwrap();
    let said: Vec<&str> = story.said.iter().map(|said| said.event_type.as_str()).collect();
    assert_eq!(said, ["com.onlineboutique.inventory.stock_released.v1"]);
    shop.close().await;
}

#[tokio::test]
async fn an_order_is_stuck_while_accounting_is_down_and_goes_on_when_it_is_back() {
    let mut shop = Shop::open_with(&FAST).await;
    shop.stop("accounting").await;
    let placed = shop.place("john-doe", &[(LENS, 1)]).await;
    let order_id = placed["orderId"].as_str().unwrap().to_owned();

    let oms = shop.peer("oms");
    let listed = eventually("the order to be stuck", async || {
        let page: Value = oms.get("/orders/stuck").await.map_err(|error| error.to_string())?;
        let found = page["orders"].as_array().unwrap().iter().find(|order| order["orderId"] == order_id.as_str());
        found.cloned().ok_or_else(|| page.to_string())
    })
    .await;
    assert_eq!(listed["waits"][0]["missing"], "com.onlineboutique.billing.invoice_issued.v1");
    assert_eq!(listed["waits"][0]["owedBy"], "accounting");

    shop.start("accounting").await;
    shop.wait(&order_id, "completed").await;
    let page: Value = oms.get("/orders/stuck").await.unwrap();
    assert_eq!(page["orders"], json!([]));
    assert!(page["minuteHeardAt"].is_string(), "{page}");
    let story: Story = oms.get(&format!("/events/{order_id}")).await.unwrap();
    let stuck: Vec<_> = story.said.iter().filter(|said| said.event_type == OrderStuck::TYPE).collect();
    assert_eq!(stuck.len(), 1, "said once: {stuck:?}");
    assert_eq!(stuck[0].data["owedBy"], "accounting");
    shop.close().await;
}
