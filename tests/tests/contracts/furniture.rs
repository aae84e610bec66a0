//! Furniture: the freight catalogue, on the same ledger as inventory.

use boutique_tests::Shop;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly};

/// What is documented, and what the ledger knows of a piece.
const PIECE: [&str; 7] = ["id", "name", "category", "price", "productId", "stockLevel", "available"];

fn documented(piece: &Value) -> Value {
    json!({ "id": piece["id"], "name": piece["name"], "category": piece["category"], "price": piece["price"] })
}

#[tokio::test]
async fn a_fresh_catalogue_has_the_sample_data() {
    let shop = Shop::open().await;
    let furniture = Client::of(&shop, "furniture").await;
    let list = furniture.get("/furniture").await.told(200);
    let pieces = list.as_array().expect("an array");
    pieces.iter().for_each(|piece| has_exactly(piece, &PIECE));
    let samples = [
        json!({ "id": 1, "name": "Oak Desk", "category": "Office", "price": 299.99 }),
        json!({ "id": 2, "name": "Leather Sofa", "category": "Living Room", "price": 899.99 }),
    ];
    assert_eq!(pieces.iter().map(documented).collect::<Vec<_>>(), samples);
    assert_eq!(furniture.get("/furniture/1").await.told(200), pieces[0]);
    shop.close().await;
}

#[tokio::test]
async fn furniture_is_added_changed_and_deleted_with_the_documented_bodies() {
    let shop = Shop::open().await;
    let furniture = Client::of(&shop, "furniture").await;
    let chair = json!({ "name": "Modern Chair", "category": "Office", "price": 199.99 });
    let made = furniture.post("/furniture", chair).await.told(201);
    has_exactly(&made, &PIECE);
    let shown = json!({ "id": 3, "name": "Modern Chair", "category": "Office", "price": 199.99 });
    assert_eq!(documented(&made), shown);
    let desk = json!({ "name": "Executive Desk", "category": "Office", "price": 499.99 });
    let changed = furniture.put("/furniture/1", desk.clone()).await.told(200);
    let shown = json!({ "id": 1, "name": "Executive Desk", "category": "Office", "price": 499.99 });
    assert_eq!(documented(&changed), shown);
    assert_eq!(furniture.get("/furniture/1").await.told(200), changed);
    let gone = furniture.delete("/furniture/1").await.told(200);
    has_exactly(&gone, &["message"]);
    furniture.get("/furniture/1").await.refused(404, "not_found");
    furniture.put("/furniture/1", desk).await.refused(404, "not_found");
    furniture.delete("/furniture/1").await.refused(404, "not_found");
    furniture.get("/furniture/none").await.refused(404, "not_found");
    let ids: Vec<Value> = furniture
        .get("/furniture")
        .await
        .body
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(ids, [json!(2), json!(3)]);
    shop.close().await;
}

#[tokio::test]
async fn what_is_no_furniture_is_refused_with_the_field_at_fault() {
    let shop = Shop::open().await;
    let furniture = Client::of(&shop, "furniture").await;
    let good = json!({ "name": "Chair", "category": "Office", "price": 1 });
    let wrong = [
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("category", json!("\u{7}")),
        ("price", json!(-1)),
        ("price", json!(1.999)),
        ("price", json!("1")),
        ("stockLevel", json!(-1)),
    ];
    for (field, value) in wrong {
        let mut body = good.clone();
        body[field] = value;
        furniture.post("/furniture", body.clone()).await.at_fault(field);
        furniture.put("/furniture/1", body).await.at_fault(field);
    }
    for missing in ["name", "category", "price"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(missing);
        furniture.post("/furniture", body).await.refused(400, "invalid_field");
    }
    shop.close().await;
}

/// Both services answer the same questions about units in the same words: they stand on one ledger.
#[tokio::test]
async fn furniture_and_inventory_keep_units_the_same_way() {
    let shop = Shop::open().await;
    for (service, product) in [("furniture", "FURN-1"), ("inventory", "OLJCESPC7Z")] {
        let ledger = Client::of(&shop, service).await;
        let path = format!("/inventory/{product}");
        let before = ledger.get(&path).await.told(200);
        let held = ledger.post(&format!("{path}/reserve"), json!({ "quantity": 2 })).await.told(200);
        let plus = |field: &str, units: i64| json!(before[field].as_i64().expect("a number") + units);
        assert_eq!(
            (&held["reserved"], &held["available"]),
            (&plus("reserved", 2), &plus("available", -2)),
            "{service}"
        );
        ledger.post(&format!("{path}/reserve"), json!({ "quantity": 1_000 })).await.refused(409, "out_of_stock");
        ledger.post(&format!("{path}/release"), json!({ "quantity": 2 })).await.told(200);
        let set = ledger.put(&path, json!({ "stockLevel": 70 })).await.told(200);
        assert_eq!((&set["stockLevel"], &set["reserved"]), (&json!(70), &before["reserved"]), "{service}");
    }
    let furniture = Client::of(&shop, "furniture").await;
    assert_eq!(furniture.get("/furniture/1").await.body["stockLevel"], 70, "the catalogue shows the ledger's units");
    shop.close().await;
}
