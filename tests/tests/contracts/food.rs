//! Food: the menu, which asks inventory at every look.

use boutique_tests::Shop;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly, is_now};

const DISH: [&str; 6] = ["id", "name", "category", "price", "available", "productId"];
const SAVED: [&str; 7] = ["id", "name", "category", "price", "available", "productId", "inventorySynced"];

fn documented(dish: &Value) -> Value {
    json!({ "id": dish["id"], "name": dish["name"], "category": dish["category"], "price": dish["price"] })
}

#[tokio::test]
async fn the_menu_has_the_sample_and_what_inventory_says_of_it() {
    let shop = Shop::open().await;
    let food = Client::of(&shop, "food").await;
    let menu = food.get("/food").await.told(200);
    has_exactly(&menu, &["foodItems", "inventoryCheck"]);
    let dishes = menu["foodItems"].as_array().expect("an array");
    dishes.iter().for_each(|dish| has_exactly(dish, &DISH));
    let pizza = json!({ "id": 1, "name": "Pizza Margherita", "category": "Italian", "price": 12.99 });
    assert_eq!(documented(&dishes[0]), pizza);
    let check = &menu["inventoryCheck"];
    has_exactly(check, &["checked", "inventoryItems", "timestamp"]);
    assert_eq!(check["checked"], true);
    is_now(&check["timestamp"]);
    let items = check["inventoryItems"].as_array().expect("an array");
    assert_eq!(items.len(), dishes.len());
    for item in items {
        has_exactly(item, &["productId", "stockLevel", "available"]);
    }
    assert_eq!(food.get("/food/1").await.told(200), dishes[0]);
    assert_eq!(food.get("/health").await.told(200)["status"], "ok");
    shop.close().await;
}

#[tokio::test]
async fn every_look_asks_inventory_anew_and_works_while_it_is_down() {
    let mut shop = Shop::open().await;
    let food = Client::of(&shop, "food").await;
    let level = async |food: &Client| {
        let menu = food.get("/food").await.told(200);
        menu["inventoryCheck"]["inventoryItems"].as_array().expect("an array")[0]["stockLevel"].clone()
    };
    let before = level(&food).await;
    Client::of(&shop, "inventory").await.put("/inventory/FOOD-1", json!({ "stockLevel": 77 })).await.told(200);
    assert_eq!((before, level(&food).await), (json!(50), json!(77)));

    shop.stop("inventory").await;
    let menu = food.get("/food").await.told(200);
    assert_eq!(menu["foodItems"].as_array().map(Vec::len), Some(2));
    let check = &menu["inventoryCheck"];
    assert_eq!((&check["checked"], &check["inventoryItems"]), (&json!(false), &json!([])));
    is_now(&check["timestamp"]);
    let salad = json!({ "name": "Greek Salad", "category": "Salad", "price": 9.49, "available": true });
    assert_eq!(food.post("/food", salad).await.told(201)["inventorySynced"], false);

    shop.start("inventory").await;
    let menu = food.get("/food").await.told(200);
    assert_eq!(menu["inventoryCheck"]["checked"], true);
    shop.close().await;
}

#[tokio::test]
async fn food_is_added_changed_and_deleted_with_the_documented_bodies() {
    let shop = Shop::open().await;
    let food = Client::of(&shop, "food").await;
    let salad = json!({ "name": "Caesar Salad", "category": "Salad", "price": 8.99, "available": true });
    let made = food.post("/food", salad.clone()).await.told(201);
    has_exactly(&made, &SAVED);
    assert_eq!(documented(&made), json!({ "id": 3, "name": "Caesar Salad", "category": "Salad", "price": 8.99 }));
    assert_eq!((&made["available"], &made["inventorySynced"]), (&json!(true), &json!(true)));
    let pizza = json!({ "name": "Margherita Pizza", "category": "Italian", "price": 14.99, "available": true });
    let changed = food.put("/food/1", pizza.clone()).await.told(200);
    let shown = json!({ "id": 1, "name": "Margherita Pizza", "category": "Italian", "price": 14.99 });
    assert_eq!(documented(&changed), shown);
    assert_eq!(documented(&food.get("/food/1").await.told(200)), shown);
    has_exactly(&food.delete("/food/1").await.told(200), &["message"]);
    food.get("/food/1").await.refused(404, "not_found");
    food.put("/food/1", pizza).await.refused(404, "not_found");
    food.delete("/food/1").await.refused(404, "not_found");
    for (field, value) in [("price", json!(-1)), ("available", json!("yes")), ("name", json!(" "))] {
        let mut body = salad.clone();
        body[field] = value;
        food.post("/food", body).await.at_fault(field);
    }
    shop.close().await;
}
