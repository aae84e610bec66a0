//! Inventory: products and their units.

use boutique_tests::Shop;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly};

const ITEM: [&str; 9] =
    ["productId", "name", "category", "unitPrice", "location", "stockLevel", "reserved", "available", "lastUpdated"];
/// Product ids and names as documented.
const SAMPLES: [(&str, &str); 5] = [
    ("OLJCESPC7Z", "Vintage Typewriter"),
    ("66VCHSJNUP", "Vintage Camera Lens"),
    ("1YMWWN1N4O", "Home Barista Kit"),
    ("L9ECAV7KIM", "Terrarium"),
    ("2ZYFJ3GM2N", "Film Camera"),
];

fn units(item: &Value) -> (u64, u64, u64) {
    let [level, reserved, available] =
        ["stockLevel", "reserved", "available"].map(|field| item[field].as_u64().expect("a number"));
    (level, reserved, available)
}

#[tokio::test]
async fn a_fresh_inventory_has_the_documented_products_and_the_sample_s_units() {
    let shop = Shop::open().await;
    let inventory = Client::of(&shop, "inventory").await;
    let list = inventory.get("/inventory").await.told(200);
    has_exactly(&list, &["total", "data"]);
    let data = list["data"].as_array().expect("an array");
    assert_eq!(list["total"], data.len());
    for item in data {
        has_exactly(item, &ITEM);
        let (level, reserved, available) = units(item);
        assert_eq!(reserved + available, level, "{item}");
    }
    for (id, name) in SAMPLES {
        let item = inventory.get(&format!("/inventory/{id}")).await.told(200);
        assert_eq!((&item["productId"], &item["name"]), (&json!(id), &json!(name)));
        assert!(data.contains(&item));
        assert!(item["lastUpdated"].as_str().expect("a text").parse::<events::Timestamp>().is_ok());
    }
    let boutique = data.iter().filter(|item| !item["productId"].as_str().expect("an id").starts_with("FOOD-"));
    assert_eq!(boutique.count(), 9);
    assert_eq!(units(&inventory.get("/inventory/OLJCESPC7Z").await.body), (45, 3, 42));
    assert_eq!(inventory.get("/health").await.told(200)["status"], "ok");
    shop.close().await;
}

#[tokio::test]
async fn units_are_reserved_released_and_set_with_the_documented_bodies() {
    let shop = Shop::open().await;
    let inventory = Client::of(&shop, "inventory").await;
    let reserved = inventory.post("/inventory/OLJCESPC7Z/reserve", json!({ "quantity": 2 })).await.told(200);
    has_exactly(&reserved, &ITEM);
    assert_eq!(units(&reserved), (45, 5, 40));
    let released = inventory.post("/inventory/OLJCESPC7Z/release", json!({ "quantity": 1 })).await.told(200);
    assert_eq!(units(&released), (45, 4, 41));
    let set = inventory.put("/inventory/OLJCESPC7Z", json!({ "stockLevel": 50 })).await.told(200);
    has_exactly(&set, &ITEM);
    assert_eq!(units(&set), (50, 4, 46));
    assert_eq!(inventory.get("/inventory/OLJCESPC7Z").await.body, set);

    let path = "/inventory/OLJCESPC7Z/reserve";
    inventory.post(path, json!({ "quantity": 47 })).await.refused(409, "out_of_stock");
    inventory.post("/inventory/OLJCESPC7Z/release", json!({ "quantity": 5 })).await.refused(409, "not_reserved");
    inventory.put("/inventory/OLJCESPC7Z", json!({ "stockLevel": 3 })).await.refused(409, "below_reserved");
    assert_eq!(inventory.get("/inventory/OLJCESPC7Z").await.body, set, "a refusal changes nothing");
    shop.close().await;
}

#[tokio::test]
async fn an_invalid_quantity_or_stock_level_is_400_and_an_unknown_product_404() {
    let shop = Shop::open().await;
    let inventory = Client::of(&shop, "inventory").await;
    for quantity in [json!(0), json!(-1), json!(1.5), json!("2"), Value::Null, json!(4_294_967_296_u64)] {
        for verb in ["reserve", "release"] {
            let body = json!({ "quantity": quantity });
            inventory.post(&format!("/inventory/OLJCESPC7Z/{verb}"), body).await.at_fault("quantity");
        }
    }
    for level in [json!(-1), json!(1.5), json!("50"), json!(1_000_000_001)] {
        inventory.put("/inventory/OLJCESPC7Z", json!({ "stockLevel": level })).await.at_fault("stockLevel");
    }
    for body in ["", "{", "[]", "{}", "{\"quantity\":1}x"] {
        let answer = inventory.send(Method::POST, "/inventory/OLJCESPC7Z/reserve", body).await;
        answer.refused(400, "invalid_field");
    }
    inventory.get("/inventory/NOSUCH").await.refused(404, "not_found");
    for verb in ["reserve", "release"] {
        let answer = inventory.post(&format!("/inventory/NOSUCH/{verb}"), json!({ "quantity": 1 })).await;
        answer.refused(404, "not_found");
    }
    shop.close().await;
}
