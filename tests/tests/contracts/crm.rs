//! CRM: customers.

use boutique_tests::Shop;
use serde_json::{Value, json};

use crate::client::{Client, has_exactly};

fn documented(customer: &Value) -> (Value, Value) {
    (customer["name"].clone(), customer["surname"].clone())
}

#[tokio::test]
async fn a_fresh_crm_has_the_sample_customers_and_takes_the_documented_body() {
    let shop = Shop::open().await;
    let crm = Client::of(&shop, "crm").await;
    let list = crm.get("/customers").await.told(200);
    let names: Vec<_> = list.as_array().expect("an array").iter().map(documented).collect();
    for sample in [("John", "Doe"), ("Jane", "Smith")] {
        assert!(names.contains(&(json!(sample.0), json!(sample.1))), "{names:?}");
    }
    assert_eq!(names.len(), 2);
    let alice = crm.post("/customers", json!({ "name": "Alice", "surname": "Johnson" })).await.told(201);
    assert_eq!(documented(&alice), (json!("Alice"), json!("Johnson")));
    let members = ["customerId", "name", "surname", "country", "loyaltyTier", "standing", "completedOrders"];
    has_exactly(&alice, &members);
    let list = crm.get("/customers").await.told(200);
    assert!(list.as_array().expect("an array").contains(&alice));
    assert_eq!(crm.get("/health").await.told(200)["status"], "ok");
    shop.close().await;
}

#[tokio::test]
async fn a_customer_without_a_name_or_surname_is_400() {
    let shop = Shop::open().await;
    let crm = Client::of(&shop, "crm").await;
    for body in [json!({ "name": "Alice" }), json!({ "surname": "Johnson" }), json!({}), json!([])] {
        crm.post("/customers", body).await.refused(400, "invalid_field");
    }
    crm.post("/customers", json!({ "name": "", "surname": "Johnson" })).await.at_fault("name");
    crm.post("/customers", json!({ "name": "Alice", "surname": 5 })).await.at_fault("surname");
    assert_eq!(crm.get("/customers").await.body.as_array().map(Vec::len), Some(2));
    shop.close().await;
}
