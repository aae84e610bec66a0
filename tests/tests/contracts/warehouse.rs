//! Warehouse: shipments of orders.

use boutique_tests::{Shop, eventually};
use runtime::Caller;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly};

fn request(order: &str) -> Value {
    let price = json!({ "currencyCode": "USD", "units": 67, "nanos": 990_000_000 });
    let line = json!({ "productId": "OLJCESPC7Z", "quantity": 1, "unitPrice": price, "ledger": "inventory" });
    json!({ "orderId": order, "lines": [line] })
}

#[tokio::test]
async fn an_order_is_shipped_once_and_its_shipments_are_shown() {
    let shop = Shop::open().await;
    let warehouse = Client::named(&shop, Caller::Oms, "warehouse").await;
    let fulfil = request("order-1");
    let made = warehouse.post("/shipments", fulfil.clone()).await.told(201);
    has_exactly(&made, &["shipments"]);
    let shipments = made["shipments"].as_array().expect("an array");
    assert_eq!(shipments.len(), 1);
    let id = shipments[0]["shipmentId"].as_str().expect("an id");
    let again = warehouse.post("/shipments", fulfil).await.told(201);
    assert_eq!(again["shipments"][0]["shipmentId"], id, "asked twice, shipped once");
    assert_eq!(again["shipments"].as_array().map(Vec::len), Some(1));

    let operator = Client::of(&shop, "warehouse").await;
    let shown = eventually("the shipment delivered", async || {
        let shown = operator.get(&format!("/shipments/{id}")).await.told(200);
        if shown["status"] == "delivered" { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await;
    let members = [
        "shipmentId",
        "orderId",
        "ledger",
        "status",
        "attempt",
        "lines",
        "location",
        "carrier",
        "trackingNumber",
        "createdAt",
        "dispatchedAt",
        "deliveredAt",
        "failedAt",
        "tracking",
    ];
    has_exactly(&shown, &members);
    assert_eq!((&shown["orderId"], &shown["ledger"]), (&json!("order-1"), &json!("inventory")));
    assert_eq!(shown["location"], "main-warehouse", "as inventory says");
    shop.close().await;
}

#[tokio::test]
async fn what_cannot_be_shipped_is_refused() {
    let shop = Shop::open().await;
    let warehouse = Client::of(&shop, "warehouse").await;
    warehouse.get("/shipments/none").await.refused(404, "not_found");
    let mut unknown = request("order-2");
    unknown["lines"][0]["productId"] = json!("NOSUCH");
    warehouse.post("/shipments", unknown).await.refused(422, "unknown_location");
    let mut none = request("order-3");
    none["lines"] = json!([]);
    warehouse.post("/shipments", none).await.at_fault("lines");
    warehouse.post("/shipments", json!({ "orderId": "order-4" })).await.refused(400, "invalid_field");
    shop.close().await;
}
