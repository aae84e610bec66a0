//! Accounting: transactions by hand and invoices, over one ledger to which things are only added.

use boutique_tests::Shop;
use runtime::Caller;
use serde_json::{Value, json};
use store::{Database, Store, Tx};

use crate::client::{Client, has_exactly, is_now};

const TRANSACTION: [&str; 5] = ["id", "item", "price", "date", "customer"];

fn supplies() -> Value {
    json!({ "item": "Office Supplies", "price": 99.99, "date": "2025-10-29", "customer": "John Doe" })
}

fn with_id(mut body: Value, id: i64) -> Value {
    body["id"] = json!(id);
    body
}

/// Every entry of the ledger, as it stands in the database.
async fn entries(shop: &Shop) -> Vec<(String, i64, String, String, i64)> {
    let store =
        Store::open(&Database::Sqlite { path: shop.database("accounting") }, accounting::MIGRATIONS).expect("open");
    let all = "SELECT transaction_id, position, account, side, amount_minor FROM ledger_entries ORDER BY transaction_id, position";
    let read = |tx: &mut Tx<'_>| {
        tx.query(all, &[], |row| {
            Ok((row.get_text(0)?, row.get_i64(1)?, row.get_text(2)?, row.get_text(3)?, row.get_i64(4)?))
        })
    };
    let entries = store.read(read).await.expect("read");
    store.close().await;
    entries
}

#[tokio::test]
async fn a_fresh_ledger_has_the_sample_and_the_list_shows_the_crm_s_customers() {
    let shop = Shop::open().await;
    let accounting = Client::of(&shop, "accounting").await;
    let list = accounting.get("/transactions").await.told(200);
    has_exactly(&list, &["transactions", "crmIntegration"]);
    let sample =
        json!({ "id": 1, "item": "Office Supplies", "price": 75.50, "date": "2025-07-20", "customer": "John Doe" });
    assert_eq!(list["transactions"], json!([sample]));
    has_exactly(&sample, &TRANSACTION);
    assert_eq!(accounting.get("/transactions/1").await.told(200), sample);
    let crm = &list["crmIntegration"];
    has_exactly(crm, &["connected", "customers", "timestamp"]);
    assert_eq!(crm["connected"], true);
    is_now(&crm["timestamp"]);
    let customers = crm["customers"].as_array().expect("an array");
    customers.iter().for_each(|customer| has_exactly(customer, &["name", "surname"]));
    assert!(customers.contains(&json!({ "name": "John", "surname": "Doe" })));
    assert_eq!(accounting.get("/health").await.told(200)["status"], "ok");
    shop.close().await;
}

#[tokio::test]
async fn the_crm_s_customers_are_shown_to_nobody_who_may_not_see_them() {
    let mut shop = Shop::open().await;
    let oms = Client::named(&shop, Caller::Oms, "accounting").await;
    let list = oms.get("/transactions").await.told(200);
    assert_eq!(list["transactions"].as_array().map(Vec::len), Some(1));
    let crm = &list["crmIntegration"];
    assert_eq!((&crm["connected"], &crm["customers"]), (&json!(true), &json!([])));
    assert!(!list["crmIntegration"].to_string().contains("Doe"));
    let gateway = Client::named(&shop, Caller::Gateway, "accounting").await;
    assert_eq!(gateway.get("/transactions").await.status, 403);

    shop.stop("crm").await;
    for caller in [Caller::Oms, Caller::Operator] {
        let list = Client::named(&shop, caller, "accounting").await.get("/transactions").await.told(200);
        let crm = &list["crmIntegration"];
        assert_eq!((&crm["connected"], &crm["customers"]), (&json!(false), &json!([])), "{caller}");
    }
    shop.close().await;
}

#[tokio::test]
async fn transactions_are_added_changed_and_deleted_and_the_ledger_only_grows() {
    let shop = Shop::open().await;
    let accounting = Client::of(&shop, "accounting").await;
    let begin = entries(&shop).await;
    let made = accounting.post("/transactions", supplies()).await.told(201);
    assert_eq!(made, with_id(supplies(), 2));
    let added = entries(&shop).await;
    let license =
        json!({ "item": "Software License", "price": 299.99, "date": "2025-10-29", "customer": "Jane Smith" });
    let changed = accounting.put("/transactions/1", license.clone()).await.told(200);
    assert_eq!(changed, with_id(license.clone(), 1));
    assert_eq!(accounting.get("/transactions/1").await.told(200), changed);
    let corrected = entries(&shop).await;
    has_exactly(&accounting.delete("/transactions/1").await.told(200), &["message"]);
    let taken_back = entries(&shop).await;
    for (before, after) in [(&begin, &added), (&added, &corrected), (&corrected, &taken_back)] {
        assert!(before.iter().all(|entry| after.contains(entry)), "an entry was changed or is gone");
        assert!(after.len() > before.len(), "nothing was entered");
    }
    let balance = accounting.get("/ledger/trial-balance").await.told(200);
    assert_eq!(balance["debit"], balance["credit"]);
    accounting.get("/transactions/1").await.refused(404, "not_found");
    accounting.put("/transactions/1", license).await.refused(404, "not_found");
    accounting.delete("/transactions/1").await.refused(404, "not_found");
    let left = accounting.get("/transactions").await.told(200);
    assert_eq!(left["transactions"], json!([made]));
    for (field, value) in
        [("price", json!(-1)), ("date", json!("29.10.2025")), ("item", json!("")), ("customer", json!(5))]
    {
        let mut body = supplies();
        body[field] = value;
        accounting.post("/transactions", body).await.at_fault(field);
    }
    shop.close().await;
}

#[tokio::test]
async fn the_other_body_issues_an_invoice_once() {
    let shop = Shop::open().await;
    let accounting = Client::named(&shop, Caller::Oms, "accounting").await;
    let dollars = |units: i64| json!({ "currencyCode": "USD", "units": units, "nanos": 0 });
    let line = json!({ "productId": "OLJCESPC7Z", "quantity": 2, "unitPrice": dollars(60), "ledger": "inventory" });
    let request = json!({
        "orderId": "order-1", "customerId": "john-doe", "lines": [line],
        "discount": dollars(20), "total": dollars(100),
    });
    let issued = accounting.post("/transactions", request.clone()).await.told(201);
    assert_eq!((&issued["orderId"], &issued["status"]), (&json!("order-1"), &json!("issued")));
    assert_eq!(issued["total"], dollars(100));
    let after = entries(&shop).await;
    assert_eq!(accounting.post("/transactions", request.clone()).await.told(200), issued);
    assert_eq!(entries(&shop).await, after, "asked twice, billed once");
    let mut unbalanced = request;
    unbalanced["orderId"] = json!("order-2");
    unbalanced["total"] = dollars(120);
    assert!([400, 422].contains(&accounting.post("/transactions", unbalanced).await.status));
    shop.close().await;
}
