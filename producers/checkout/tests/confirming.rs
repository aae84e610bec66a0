//! Orders that are confirmed: what is answered, kept, held and said.

mod support;

use events::billing::InvoiceRequested;
use events::inventory::StockReserved;
use events::order::OrderConfirmed;
use events::risk::RiskLevel;
use events::{Ledger, Money};
use serde_json::json;
use support::{SEALED, Shop, order};
use testkit::facts_of;

#[tokio::test]
async fn a_good_order_is_confirmed_and_its_facts_are_said_in_order() {
    let shop = Shop::open().await;

    let answer = shop.place(&order(&[("OLJCESPC7Z", 2), ("FURN-1", 1), ("FOOD-1", 3)])).await;

    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = answer.body["orderId"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("/orders/{id}"));
    assert_eq!(answer.body["status"], "confirmed");
    assert_eq!(answer.body["risk"], "LOW");
    assert_eq!(
        answer.body["lines"][2],
        json!({ "productId": "FOOD-1", "quantity": 3, "ledger": "inventory",
        "unitPrice": { "currencyCode": "USD", "units": 12, "nanos": 990_000_000 } })
    );
    assert_eq!(answer.body["total"], json!(Money::from_minor(2 * 6_799 + 29_999 + 3 * 1_299)));
    let types = [
        "order.confirmed.v1",
        "inventory.stock_reserved.v1",
        "inventory.stock_reserved.v1",
        "billing.invoice_requested.v1",
    ];
    assert_eq!(shop.said_types(), types);
    let said = shop.said();
    assert!(said.iter().all(|fact| fact.partition_key == id && fact.correlation_id == said[0].id));
    assert!(said[1..].iter().all(|fact| fact.causation_id.as_ref() == Some(&said[0].id)));
    assert_eq!(shop.held(), 6);
    let mut kept = shop.get(&format!("/orders/{id}")).await.body;
    assert_eq!((&answer.body["customerId"], &kept["customerId"]), (&json!("john-doe"), &json!(SEALED)));
    kept["customerId"] = json!("john-doe");
    assert_eq!(kept, answer.body);
}

#[tokio::test]
async fn facts_say_what_the_client_was_told() {
    let shop = Shop::open().await;

    let answer = shop.place(&order(&[("OLJCESPC7Z", 1), ("FURN-1", 2)])).await;

    let messages: Vec<_> = shop.said().into_iter().map(Into::into).collect();
    let confirmed = facts_of::<OrderConfirmed>(&messages).remove(0);
    let invoice = facts_of::<InvoiceRequested>(&messages).remove(0);
    let reserved = facts_of::<StockReserved>(&messages);
    assert_eq!(json!(confirmed.lines), answer.body["lines"]);
    assert_eq!(json!(confirmed.total), answer.body["total"]);
    assert_eq!(confirmed.risk, RiskLevel::Low);
    assert_eq!(
        (invoice.total, invoice.discount, invoice.lines),
        (confirmed.total, confirmed.discount, confirmed.lines)
    );
    assert_eq!(reserved.iter().map(|fact| fact.ledger).collect::<Vec<_>>(), [Ledger::Inventory, Ledger::Furniture]);
    let edges = shop.edges();
    for fact in &reserved {
        let (ledger, lines) = &edges.holds[fact.reservation_id.as_str()];
        assert_eq!((ledger.as_str(), lines), (fact.ledger.as_str(), &json!(fact.lines)));
    }
}

#[tokio::test]
async fn loyalty_takes_its_percent_off() {
    let shop = Shop::open().await;
    for (customer, percent) in [("john-doe", 0), ("silver", 2), ("gold", 5)] {
        let mut order = order(&[("OLJCESPC7Z", 3)]);
        order["customerId"] = json!(customer);
        let answer = shop.place(&order).await.body;
        let (subtotal, discount) = (3 * 6_799, 3 * 6_799 * percent / 100);
        assert_eq!(answer["subtotal"], json!(Money::from_minor(subtotal)));
        assert_eq!(answer["discount"], json!(Money::from_minor(discount)));
        assert_eq!(answer["total"], json!(Money::from_minor(subtotal - discount)));
    }
}

#[tokio::test]
async fn a_price_of_the_clients_own_is_ignored() {
    let shop = Shop::open().await;
    let mut order = order(&[("OLJCESPC7Z", 1)]);
    order["lines"][0]["unitPrice"] = json!(Money::from_minor(1));
    order["total"] = json!(0);
    assert_eq!(shop.place(&order).await.body["total"], json!(Money::from_minor(6_799)));
}

#[tokio::test]
async fn the_fraud_engine_is_told_what_it_scores_by() {
    let shop = Shop::open().await;
    let answer = shop.place(&order(&[("OLJCESPC7Z", 2)])).await;
    let mut scored = shop.edges().scored.remove(0);
    assert!(scored["durationMs"].take().is_u64());
    let id = &answer.body["orderId"];
    assert_eq!(
        scored,
        json!({ "transactionType": "checkout", "durationMs": null, "success": true, "orderId": id,
        "customerId": SEALED, "amountMinor": 13_598, "shippingCountry": "US", "billingCountry": "US", "lineCount": 1 })
    );
}

#[tokio::test]
async fn the_fraud_engine_knows_devices_and_addresses_again_and_cannot_read_them() {
    let shop = Shop::open().await;
    let mut order = order(&[("OLJCESPC7Z", 1)]);
    for (device, hour) in [("phone-7f3a", 8), ("phone-7f3a", 9), ("laptop-11", 8)] {
        order["deviceId"] = device.into();
        order["addressHash"] = "3b6f1c".into();
        order["localHour"] = hour.into();
        assert_eq!(shop.place(&order).await.status, 201);
    }
    let scored = shop.edges().scored.clone();
    let of = |field: &str| scored.iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    let (devices, addresses) = (of("deviceId"), of("addressHash"));
    assert!(devices[0] == devices[1] && devices[1] != devices[2] && devices[0].is_string(), "{devices:?}");
    assert!(addresses[0] == addresses[1] && addresses[0].is_string(), "{addresses:?}");
    assert_eq!(of("localHour"), [8, 9, 8]);
    let told = format!("{scored:?}");
    assert!(!told.contains("phone-7f3a") && !told.contains("3b6f1c"), "{told}");
}

#[tokio::test]
async fn only_edges_that_are_needed_are_called() {
    let shop = Shop::open().await;
    shop.place(&order(&[("OLJCESPC7Z", 1)])).await;
    let mut calls = shop.edges().calls.clone();
    calls.sort();
    let expected = [
        "GET crm/customers/john-doe",
        "GET inventory/inventory",
        "POST fraud-engine/metrics",
        "POST inventory/reservations",
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn the_clients_trace_goes_on_and_a_bad_one_is_replaced() {
    let shop = Shop::open().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for given in [trace, "00-nonsense"] {
        shop.send(order(&[("OLJCESPC7Z", 1)]).to_string(), &[("traceparent", given)]).await;
    }
    let said = shop.said();
    assert_eq!(said[0].traceparent.as_deref(), Some(trace));
    let minted = said[3].traceparent.as_deref().unwrap();
    assert!(minted.len() == trace.len() && minted != trace);
}

#[tokio::test]
async fn a_silent_bus_delays_the_facts_and_not_the_answer() {
    let shop = Shop::open().await;
    shop.bus.refuse(true);

    let answer = shop.place(&order(&[("OLJCESPC7Z", 1)])).await;

    assert_eq!(answer.status, 201);
    assert_eq!((shop.said().len(), shop.unsent().await), (0, 3));
    shop.bus.refuse(false);
    let publisher = shop.transactor.publisher();
    assert!(publisher.relay_once().await.unwrap());
    assert_eq!(
        shop.said_types(),
        ["order.confirmed.v1", "inventory.stock_reserved.v1", "billing.invoice_requested.v1"]
    );
    assert!(publisher.relay_once().await.unwrap());
    assert_eq!(shop.said().len(), 3);
}

#[tokio::test]
async fn answers_are_listed_in_the_order_of_their_commits() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(shop.place(&order(&[("OLJCESPC7Z", 1)])).await.body["orderId"].clone());
    }
    let mut seen = Vec::new();
    let mut path = "/orders?limit=2".to_owned();
    loop {
        let page = shop.get(&path).await.body;
        seen.extend(page["orders"].as_array().unwrap().iter().map(|order| order["orderId"].clone()));
        match page["next"].as_str() {
            Some(next) => path = format!("/orders?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    for bad in ["limit=0", "limit=501", "limit=x", "after=x", "limit=1&limit=2"] {
        assert_eq!(shop.get(&format!("/orders?{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(shop.get("/orders/unknown").await.status, 404);
    assert_eq!(shop.get("/orders/%20").await.status, 404);
}
