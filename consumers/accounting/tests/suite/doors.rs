//! The REST contract.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use events::billing::{InvoiceFailed, InvoiceIssued};
use runtime::{Base, Identity, Outcome, Peer};
use serde_json::{Value, json};
use store::Database;
use testkit::{SimulatedBus, delete, event, get, post, put, request};

use crate::world::{Crm, World, money, requested};

fn sample() -> Value {
    json!({ "item": "Office Supplies", "price": 75.50, "date": "2025-07-20", "customer": "John Doe" })
}

#[tokio::test]
async fn the_sample_transaction_is_entered_and_listed_with_the_customers_of_the_crm() {
    let world = World::new().await;
    let made = post(&world.doors, "/transactions", &sample()).await;
    let shown =
        json!({ "id": 2, "item": "Office Supplies", "price": 75.50, "date": "2025-07-20", "customer": "John Doe" });
    assert_eq!((made.status, &made.body), (StatusCode::CREATED, &shown));
    assert_eq!(get(&world.doors, "/transactions/2").await.body, shown);
    let sample = get(&world.doors, "/transactions/1").await.body;
    assert_eq!((&sample["id"], &sample["price"]), (&json!(1), &json!(75.50)), "every ledger begins with it");
    let list = get(&world.doors, "/transactions").await.body;
    assert_eq!(list["transactions"], json!([sample, shown]));
    assert_eq!(list["crmIntegration"]["connected"], json!(true));
    assert_eq!(list["crmIntegration"]["customers"], json!([{ "name": "John", "surname": "Doe" }]));
    assert!(list["crmIntegration"]["timestamp"].is_string());
}

#[tokio::test]
async fn the_list_is_there_while_the_crm_is_not() {
    let world = World::new().await;
    world.crm_says(Crm::Down);
    post(&world.doors, "/transactions", &sample()).await;
    let list = get(&world.doors, "/transactions").await;
    assert_eq!((list.status, list.body["transactions"].as_array().unwrap().len()), (StatusCode::OK, 2));
    assert_eq!(list.body["crmIntegration"]["connected"], json!(false));
    assert_eq!(list.body["crmIntegration"]["customers"], json!([]));
}

#[tokio::test]
async fn corrections_and_deletions_are_entries_more() {
    let world = World::new().await;
    post(&world.doors, "/transactions", &sample()).await;
    let license =
        json!({ "item": "Software License", "price": 299.99, "date": "2025-10-29", "customer": "Jane Smith" });
    let changed = put(&world.doors, "/transactions/2", &license).await;
    assert_eq!((changed.status, &changed.body["item"]), (StatusCode::OK, &json!("Software License")));
    assert_eq!(get(&world.doors, "/transactions/2").await.body["price"], json!(299.99));
    assert_eq!(world.balance("revenue").await, -29_999);
    let gone = delete(&world.doors, "/transactions/2").await;
    assert_eq!(gone.status, StatusCode::OK);
    assert!(gone.body["message"].is_string());
    assert_eq!(world.balance("revenue").await, 0);
    assert_eq!(get(&world.doors, "/transactions").await.body["transactions"].as_array().unwrap().len(), 1);
    for answer in [
        get(&world.doors, "/transactions/2").await,
        put(&world.doors, "/transactions/2", &license).await,
        delete(&world.doors, "/transactions/2").await,
        get(&world.doors, "/transactions/x").await,
    ] {
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    }
    let count = |tx: &mut store::Tx<'_>| tx.query_opt("SELECT COUNT(*) FROM ledger_entries", &[], |row| row.get_i64(0));
    assert_eq!(world.accounting.read(count).await, Some(10), "the sample's two, and two, four and two");
    assert_eq!(post(&world.doors, "/transactions", &sample()).await.body["id"], json!(3), "an id is used once");
}

#[tokio::test]
async fn transactions_of_the_wrong_form_are_refused_with_the_field_at_fault() {
    let world = World::new().await;
    let wrong = |field: &str, value: Value| {
        let mut body = sample();
        body[field] = value;
        body.to_string()
    };
    let bad = [
        wrong("price", json!("75.50")),
        wrong("price", json!(-1)),
        wrong("price", json!(1.999)),
        wrong("price", json!(1e300)),
        wrong("price", Value::Null),
        wrong("date", json!("20.07.2025")),
        wrong("date", json!("2025-02-30")),
        wrong("date", json!("20250720")),
        wrong("item", json!("")),
        wrong("item", json!(7)),
        wrong("customer", Value::Null),
        r#"{"item":"a","price":1,"date":"2025-07-20"}"#.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{".to_owned(),
        String::new(),
    ];
    post(&world.doors, "/transactions", &sample()).await;
    for body in bad {
        for (method, path) in [(Method::POST, "/transactions"), (Method::PUT, "/transactions/1")] {
            let answer = request(&world.doors, method, path, body.clone()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert!(!answer.body["errors"].as_array().unwrap().is_empty(), "{body}");
        }
    }
    let long = "x".repeat(300_000);
    assert_eq!(request(&world.doors, Method::POST, "/transactions", long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn pages_lead_through_every_transaction() {
    let world = World::new().await;
    for _ in 0..5 {
        post(&world.doors, "/transactions", &sample()).await;
    }
    let (mut path, mut seen) = (Some("/transactions?limit=2".to_owned()), Vec::new());
    while let Some(next) = path {
        let page = get(&world.doors, &next).await.body;
        seen.extend(page["transactions"].as_array().unwrap().iter().map(|each| each["id"].as_i64().unwrap()));
        path = page["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    for query in ["limit=0", "limit=501", "after=x"] {
        let answer = get(&world.doors, &format!("/transactions?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_order_body_and_the_event_are_one_command() {
    let world = World::new().await;
    let body = serde_json::to_value(requested("o-1")).unwrap();
    let made = post(&world.doors, "/transactions", &body).await;
    assert_eq!((made.status, &made.body["status"]), (StatusCode::CREATED, &json!("issued")));
    assert_eq!(made.body, world.invoice("o-1").await);
    let again = post(&world.doors, "/transactions", &body).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, made.body));
    assert_eq!(world.accounting.when(&event(requested("o-1")).seal()).await, Outcome::Handled(vec![]));
    assert_eq!(world.accounting.said_facts::<InvoiceIssued>().len(), 1);
    assert_eq!(world.balance("accounts_receivable").await, 30_399);
    // And the other way round.
    world.accounting.when(&event(requested("o-2")).seal()).await;
    let body = serde_json::to_value(requested("o-2")).unwrap();
    assert_eq!(post(&world.doors, "/transactions", &body).await.status, StatusCode::OK);
    assert_eq!(world.accounting.said_facts::<InvoiceIssued>().len(), 2);
}

#[tokio::test]
async fn an_order_body_that_cannot_be_invoiced_is_told_why() {
    let world = World::new().await;
    let body = serde_json::to_value(requested("o-1")).unwrap();
    world.crm_says(Crm::Down);
    let answer = post(&world.doors, "/transactions", &body).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("peer_unavailable")));
    world.crm_says(Crm::Missing);
    for _ in 0..2 {
        let answer = post(&world.doors, "/transactions", &body).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("no_billing_profile"))
        );
    }
    assert_eq!(world.accounting.said_facts::<InvoiceFailed>().len(), 1);
    let mut wrong = serde_json::to_value(requested("o-2")).unwrap();
    wrong["total"] = money(1);
    let answer = post(&world.doors, "/transactions", &wrong).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["path"]), (StatusCode::BAD_REQUEST, &json!("total")));
    wrong["lines"] = json!([]);
    assert_eq!(post(&world.doors, "/transactions", &wrong).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_trial_balance_balances() {
    let world = World::new().await;
    let sample = get(&world.doors, "/ledger/trial-balance").await.body;
    assert_eq!((&sample["debit"], &sample["credit"]), (&money(7_550), &money(7_550)));
    world.accounting.when(&event(requested("o-1")).seal()).await;
    let balance = get(&world.doors, "/ledger/trial-balance").await.body;
    assert_eq!((&balance["debit"], &balance["credit"]), (&money(37_949), &money(37_949)));
    assert_eq!(balance["accounts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_started_service_is_healthy_and_knows_no_other_path() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Database::Sqlite { path: folder.path().join("accounting.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let service = accounting::service(&base, accounting::Config::default()).unwrap();
    let running = service.start(base.listen).await.unwrap();
    let peer = Peer::new("accounting", &format!("http://{}", running.address()), Duration::from_secs(5));
    assert_eq!(peer.get::<Value>("/health").await.unwrap(), json!({ "status": "ok", "service": "accounting" }));
    for path in ["/invoices/o-1", "/invoices/%20", "/nowhere"] {
        assert_eq!(peer.get::<Value>(path).await.unwrap_err().status(), Some(404), "{path}");
    }
    running.stop().await;
}
