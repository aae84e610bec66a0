//! Orders through the whole choreography: every service, the embedded broker, the official Pub/Sub client, real sockets.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use boutique_tests::{Shop, eventually};
use bus::Outgoing;
use events::Fact;
use events::order::OrderConfirmed;
use runtime::{CallError, Story};
use serde_json::{Value, json};
use store::outbox::OutboxRow;
use store::{Database, Migration, Store};

const LENS: &str = "66VCHSJNUP";
const CAMERA: &str = "2ZYFJ3GM2N";
const DESK: &str = "FURN-1";
const SOFA: &str = "FURN-2";
const PIZZA: &str = "FOOD-1";

async fn stock(shop: &Shop, ledger: &'static str, product: &str) -> (i64, i64) {
    let item: Value = shop.peer(ledger).get(&format!("/inventory/{product}")).await.unwrap();
    (item["stockLevel"].as_i64().unwrap(), item["reserved"].as_i64().unwrap())
}

fn id(answer: &Value) -> String {
    answer["orderId"].as_str().unwrap().to_owned()
}

/// What each service said about an order, as short type names, sorted.
async fn said(shop: &Shop, order_id: &str) -> Vec<String> {
    let mut said = Vec::new();
    for name in ["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "fraud-bridge"] {
        let story: Story = shop.peer(name).get(&format!("/events/{order_id}")).await.unwrap();
        said.extend(story.said.into_iter().map(|said| said.event_type.replace("com.onlineboutique.", "")));
    }
    said.sort();
    said
}

#[tokio::test]
async fn an_order_is_held_billed_shipped_delivered_and_counted() {
    let shop = Shop::open().await;
    let (level, reserved) = stock(&shop, "inventory", LENS).await;

    let placed = shop.place("john-doe", &[(LENS, 2)]).await;
    let order_id = id(&placed);
    let order = shop.wait(&order_id, "completed").await;

    assert_eq!(order["total"], placed["total"]);
    assert_eq!(stock(&shop, "inventory", LENS).await, (level - 2, reserved));
    let invoice: Value = shop.peer("accounting").get(&format!("/invoices/{order_id}")).await.unwrap();
    assert_eq!(invoice["total"], placed["total"]);
    assert_eq!(invoice["revenueRecognized"], placed["total"]);
    let crm = shop.peer("crm");
    eventually("the CRM to count the order", async || {
        let customer: Value = crm.get("/customers/john-doe").await.unwrap();
        if customer["completedOrders"] == 1 { Ok(()) } else { Err(customer.to_string()) }
    })
    .await;
    let whole: Value = shop.peer("gateway").get(&format!("/v1/orders/{order_id}")).await.unwrap();
    assert_eq!(whole["missing"], json!([]));
    assert_eq!(
        said(&shop, &order_id).await,
        [
            "billing.invoice_issued.v1",
            "billing.invoice_requested.v1",
            "billing.revenue_recognized.v1",
            "fulfillment.requested.v1",
            "fulfillment.shipment_created.v1",
            "fulfillment.shipment_delivered.v1",
            "fulfillment.shipment_dispatched.v1",
            "inventory.stock_committed.v1",
            "inventory.stock_reserved.v1",
            "order.completed.v1",
            "order.confirmed.v1",
        ]
    );
    shop.close().await;
}

#[tokio::test]
async fn freight_and_food_travel_in_shipments_of_their_ledgers() {
    let shop = Shop::open().await;
    let placed = shop.place("jane-smith", &[(DESK, 1), (PIZZA, 2), (LENS, 1)]).await;
    let order_id = id(&placed);
    shop.wait(&order_id, "completed").await;
    let found: Value = shop.peer("warehouse").get(&format!("/shipments?orderId={order_id}")).await.unwrap();
    let ledgers: BTreeMap<&str, usize> = found["shipments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shipment| (shipment["ledger"].as_str().unwrap(), shipment["lines"].as_array().unwrap().len()))
        .collect();
    assert_eq!(ledgers, BTreeMap::from([("furniture", 1), ("inventory", 2)]));
    // The ledger may hear of the dispatch after OMS has heard of the delivery.
    eventually("the desk to leave its hold", async || {
        let (_, reserved) = stock(&shop, "furniture", DESK).await;
        if reserved == 0 { Ok(()) } else { Err(format!("{reserved} reserved")) }
    })
    .await;
    shop.close().await;
}

#[tokio::test]
async fn returned_goods_are_restocked_and_paid_back_to_the_cent() {
    let shop = Shop::open().await;
    let before = stock(&shop, "inventory", LENS).await;
    let placed = shop.place("john-doe", &[(LENS, 2), (DESK, 1)]).await;
    let order_id = id(&placed);
    shop.wait(&order_id, "completed").await;

    let gateway = shop.peer("gateway");
    let path = format!("/v1/orders/{order_id}/returns");
    for (return_id, product, quantity) in [("r-1", LENS, 2), ("r-2", DESK, 1)] {
        let line = json!({ "productId": product, "quantity": quantity });
        let body = json!({ "returnId": return_id, "lines": [line], "reason": "changed_mind" });
        let asked: Value = gateway.post_once(&path, &body).await.unwrap();
        assert_eq!(asked["status"], "expected");
        let return_id = asked["returnId"].as_str().unwrap();
        let warehouse = shop.peer("warehouse");
        eventually("the warehouse to expect it", async || {
            let path = format!("/returns/{return_id}/received");
            warehouse.post::<_, Value>(&path, &Value::Null).await.map_err(|error| error.to_string())
        })
        .await;
    }
    let order = shop.wait(&order_id, "returned").await;
    assert_eq!(order["returns"].as_array().unwrap().len(), 2);
    let invoice = eventually("everything to be paid back", async || {
        let invoice: Value = shop.peer("accounting").get(&format!("/invoices/{order_id}")).await.unwrap();
        if invoice["refunded"] == placed["total"] { Ok(invoice) } else { Err(invoice.to_string()) }
    })
    .await;
    assert_eq!(invoice["creditNotes"].as_array().unwrap().len(), 2);
    eventually("the units to be for sale again", async || {
        let now = stock(&shop, "inventory", LENS).await;
        if now == before { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    shop.close().await;
}

/// One piece of freight is lost for good, the parcel arrives: the order ends, the customer pays for what came.
#[tokio::test]
async fn a_shipment_that_fails_twice_is_paid_back_and_the_order_completes_with_the_rest() {
    let shop = Shop::open_with(&[("BOUTIQUE_CARRIER", "partner")]).await;
    let placed = shop.place("jane-smith", &[(DESK, 1), (SOFA, 1), (LENS, 1)]).await;
    let order_id = id(&placed);
    let warehouse = shop.peer("warehouse");
    let shipments = eventually("three shipments under way", async || {
        let found: Value = warehouse.get(&format!("/shipments?orderId={order_id}")).await.unwrap();
        let shipments = found["shipments"].as_array().unwrap().clone();
        let under_way = shipments.iter().filter(|shipment| shipment["status"] == "dispatched").count();
        if under_way == 3 { Ok(shipments) } else { Err(found.to_string()) }
    })
    .await;
    let report = async |shipment: &Value, status: &str, reference: &str| {
        let path = format!("/shipments/{}/tracking", shipment["shipmentId"].as_str().unwrap());
        let number =
            warehouse.get::<Value>(path.trim_end_matches("/tracking")).await.unwrap()["trackingNumber"].clone();
        let at = runtime::clock::now();
        let body = json!({ "status": status, "reference": reference, "at": at, "trackingNumber": number });
        warehouse.post::<_, Value>(&path, &body).await.unwrap()
    };
    for shipment in &shipments {
        let lost = shipment["lines"][0]["productId"] == DESK;
        if lost {
            assert_eq!(report(shipment, "failed", "f-1").await["attempt"], 2);
            assert_eq!(report(shipment, "returned_to_sender", "f-2").await["status"], "failed");
        } else {
            assert_eq!(report(shipment, "delivered", "d").await["status"], "delivered");
        }
    }
    shop.wait(&order_id, "completed").await;
    let invoice = eventually("the desk to be paid back", async || {
        let invoice: Value = shop.peer("accounting").get(&format!("/invoices/{order_id}")).await.unwrap();
        if invoice["creditNotes"] == json!([]) { Err(invoice.to_string()) } else { Ok(invoice) }
    })
    .await;
    let amount = |value: &Value| serde_json::from_value::<events::Money>(value.clone()).unwrap();
    let earned_and_returned = amount(&invoice["revenueRecognized"]).plus(&amount(&invoice["refunded"])).unwrap();
    assert_eq!(earned_and_returned, amount(&placed["total"]));
    shop.close().await;
}

#[tokio::test]
async fn an_order_that_cannot_be_billed_is_cancelled_and_its_units_are_for_sale_again() {
    let shop = Shop::open().await;
    let customer = json!({ "name": "Ada", "surname": "Archer", "customerId": "no-bill", "billingAccount": "none" });
    let _: Value = shop.peer("crm").post("/customers", &customer).await.unwrap();
    let before = stock(&shop, "inventory", CAMERA).await;

    let order_id = id(&shop.place("no-bill", &[(CAMERA, 1)]).await);
    let order = shop.wait(&order_id, "cancelled").await;

    assert_eq!(order["cancellationReason"], "invoice_failed");
    eventually("the units to be released", async || {
        let now = stock(&shop, "inventory", CAMERA).await;
        if now == before { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    shop.close().await;
}

#[tokio::test]
async fn refusals_at_checkout_leave_nothing_held() {
    let shop = Shop::open().await;
    let gateway = shop.peer("gateway");
    let before = stock(&shop, "inventory", LENS).await;
    let order = |customer: &str, quantity: u32| json!({ "customerId": customer, "lines": [{ "productId": LENS, "quantity": quantity }] });
    let abroad =
        json!({ "customerId": "abroad", "shippingCountry": "BR", "lines": [{ "productId": LENS, "quantity": 1 }] });
    let customer = json!({ "name": "Ben", "surname": "Brook", "customerId": "abroad", "country": "US" });
    let _: Value = shop.peer("crm").post("/customers", &customer).await.unwrap();
    let cases = [
        (order("nobody", 1), 422, "unknown_customer"),
        (order("john-doe", 9_999), 409, "out_of_stock"),
        (abroad, 403, "high_risk"),
        (
            json!({ "customerId": "john-doe", "lines": [{ "productId": "NOSUCH", "quantity": 1 }] }),
            422,
            "unknown_product",
        ),
        (order("john-doe", 0), 400, "invalid_field"),
    ];
    for (body, status, code) in cases {
        let refused = gateway.post_once::<_, Value>("/v1/orders", &body).await.expect_err(code);
        let CallError::Refused { problem, .. } = refused else { panic!("{code}: {refused}") };
        assert_eq!((problem.status, problem.code.as_str()), (status, code));
    }
    assert_eq!(stock(&shop, "inventory", LENS).await, before);
    shop.close().await;
}

#[tokio::test]
async fn a_customer_may_cancel_until_the_goods_have_left() {
    let shop = Shop::open_with(&[("BOUTIQUE_DISPATCH_DELAY_MS", "600000")]).await;
    let before = stock(&shop, "inventory", LENS).await;
    let order_id = id(&shop.place("john-doe", &[(LENS, 1)]).await);
    shop.wait(&order_id, "fulfilling").await;
    let _: Value = shop.peer("gateway").post_once(&format!("/v1/orders/{order_id}/cancel"), &json!({})).await.unwrap();
    let order = shop.wait(&order_id, "cancelled").await;
    assert_eq!(order["cancellationReason"], "by_customer");
    eventually("units released and the invoice reversed", async || {
        let stock = stock(&shop, "inventory", LENS).await;
        let invoice: Value = shop.peer("accounting").get(&format!("/invoices/{order_id}")).await.unwrap();
        if stock == before && invoice["status"] == "reversed" { Ok(()) } else { Err(format!("{stock:?} {invoice}")) }
    })
    .await;
    shop.close().await;

    let shop = Shop::open().await;
    let order_id = id(&shop.place("john-doe", &[(LENS, 1)]).await);
    shop.wait(&order_id, "completed").await;
    let path = format!("/v1/orders/{order_id}/cancel");
    let refused = shop.peer("gateway").post_once::<_, Value>(&path, &json!({})).await.expect_err("it has left");
    assert_eq!(refused.status(), Some(409));
    shop.close().await;
}

#[tokio::test]
async fn an_order_of_unknown_risk_waits_until_the_engine_is_back() {
    let mut shop = Shop::open().await;
    shop.stop("fraud-engine").await;
    let placed = shop.place("john-doe", &[(LENS, 1)]).await;
    assert_eq!(placed["risk"], "UNKNOWN");
    let order_id = id(&placed);
    let oms = shop.peer("oms");
    let path = format!("/orders/{order_id}");
    eventually("the order to wait for nothing but its risk", async || {
        let order: Value = oms.get(&path).await.map_err(|error| error.to_string())?;
        if order["waitingFor"] == json!(["risk"]) { Ok(()) } else { Err(order.to_string()) }
    })
    .await;
    shop.start("fraud-engine").await;
    shop.wait(&order_id, "completed").await;
    assert!(said(&shop, &order_id).await.contains(&"risk.fraud_cleared.v1".to_owned()));
    shop.close().await;
}

#[tokio::test]
async fn a_consumer_that_was_down_catches_up() {
    let mut shop = Shop::open().await;
    shop.stop("accounting").await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(id(&shop.place("john-doe", &[(LENS, 1)]).await));
    }
    shop.start("accounting").await;
    for order_id in &orders {
        shop.wait(order_id, "completed").await;
    }
    shop.close().await;
}

#[tokio::test]
async fn every_event_said_again_changes_nothing() {
    let shop = Shop::open().await;
    let order_id = id(&shop.place("john-doe", &[(LENS, 1)]).await);
    shop.wait(&order_id, "completed").await;
    // An order may be complete before accounting has heard of its dispatch.
    let before = eventually("the revenue to be recognised", async || {
        let said = said(&shop, &order_id).await;
        if said.iter().any(|one| one == "billing.revenue_recognized.v1") { Ok(said) } else { Err(format!("{said:?}")) }
    })
    .await;
    let level = stock(&shop, "inventory", LENS).await;

    let mut again = Vec::new();
    for name in ["checkout", "oms", "accounting", "warehouse", "inventory"] {
        again.extend(outbox(&shop, name, &order_id).await);
    }
    assert!(again.len() >= before.len());
    for answer in shop.bus().publish(again).await {
        answer.unwrap();
    }
    // A second order behind the duplicates: once it is through, so are they.
    let second = id(&shop.place("john-doe", &[(CAMERA, 1)]).await);
    shop.wait(&second, "completed").await;

    assert_eq!(said(&shop, &order_id).await, before);
    assert_eq!(stock(&shop, "inventory", LENS).await, level);
    shop.close().await;
}

/// What a service has said about an order, as it would be published again after a crash between publish and mark.
async fn outbox(shop: &Shop, name: &str, order_id: &str) -> Vec<Outgoing> {
    let store = Store::open(&Database::Sqlite { path: shop.database(name) }, migrations(name)).unwrap();
    let subject = format!("orders/{order_id}");
    let rows = store.read(move |tx| store::outbox::said(tx, &subject)).await.unwrap();
    let to_outgoing = |row: OutboxRow| Outgoing {
        topic: row.topic,
        ordering_key: String::new(),
        attributes: serde_json::from_str(&row.attributes).unwrap(),
        data: row.data.into_bytes().into(),
    };
    rows.into_iter().map(to_outgoing).collect()
}

fn migrations(name: &str) -> &'static [Migration] {
    match name {
        "checkout" => checkout::MIGRATIONS,
        "oms" => oms::MIGRATIONS,
        "accounting" => accounting::MIGRATIONS,
        "warehouse" => warehouse::MIGRATIONS,
        _ => inventory::MIGRATIONS,
    }
}

#[tokio::test]
async fn a_poisoned_event_goes_to_the_dead_letter_and_holds_nobody_up() {
    let shop = Shop::open().await;
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "poison-1"),
        ("ce-source", "//onlineboutique.com/checkout"),
        ("ce-type", OrderConfirmed::TYPE),
        ("ce-subject", "orders/O-POISON"),
        ("ce-time", "2026-01-01T00:00:00Z"),
        ("ce-partitionkey", "O-POISON"),
        ("ce-correlationid", "poison-1"),
        ("ce-risk", "LOW"),
    ] {
        attributes.insert(name.to_owned(), value.to_owned());
    }
    let data = br#"{"orderId":"O-POISON","lines":"many"}"#.to_vec().into();
    let poison = Outgoing { topic: "order-events".to_owned(), ordering_key: String::new(), attributes, data };
    shop.bus().publish(vec![poison]).await.pop().unwrap().unwrap();

    let order_id = id(&shop.place("john-doe", &[(LENS, 1)]).await);
    shop.wait(&order_id, "completed").await;

    let oms = shop.peer("oms");
    let letter = eventually("oms to put it on its dead letter", async || {
        let story: Story = oms.get("/events/O-POISON").await.unwrap();
        story.said.into_iter().next().ok_or_else(|| "nothing yet".to_owned())
    })
    .await;
    assert_eq!(letter.topic, "oms.dead-letters");
    assert_eq!(letter.id, "poison-1");
    shop.close().await;
}
