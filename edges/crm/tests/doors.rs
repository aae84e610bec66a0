//! The REST contract.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod support;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use crm::service;
use events::CustomerId;
use runtime::{Base, Identity, Peer};
use serde_json::{Value, json};
use store::Database;
use testkit::{Scenario, SimulatedBus, get, post, request};

use support::{config, scenario};

fn doors(crm: &Scenario) -> Router {
    crm::doors(crm.transactor(), config()).open_house()
}

#[tokio::test]
async fn the_sample_customers_are_there_on_the_first_start() {
    let crm = scenario();
    let answer = get(&doors(&crm), "/customers").await;
    assert_eq!(answer.status, StatusCode::OK);
    let names: Vec<_> =
        answer.body.as_array().unwrap().iter().map(|each| (each["name"].clone(), each["surname"].clone())).collect();
    assert_eq!(names, [(json!("John"), json!("Doe")), (json!("Jane"), json!("Smith"))]);
}

#[tokio::test]
async fn a_name_and_a_surname_make_a_customer() {
    let crm = scenario();
    let doors = doors(&crm);
    let made = post(&doors, "/customers", &json!({ "name": "Alice", "surname": "Johnson" })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let id = made.body["customerId"].as_str().unwrap();
    let mut shown = get(&doors, &format!("/customers/{id}")).await.body;
    let sealed_id = shown.as_object_mut().unwrap().remove("sealedId").unwrap();
    assert!(sealed_id.as_str().unwrap().parse::<CustomerId>().unwrap().is_sealed());
    let expected = json!({
        "customerId": id, "name": "Alice", "surname": "Johnson", "country": null,
        "loyaltyTier": "standard", "standing": "good", "completedOrders": 0,
    });
    assert_eq!((&made.body, &shown), (&expected, &expected));
    let billing = get(&doors, &format!("/customers/{id}/billing-profile")).await.body;
    let expected = json!({ "customerId": id, "sealedId": sealed_id, "accountStatus": "active", "currencyCode": "USD",
                           "taxRegion": null });
    assert_eq!(billing, expected);
}

#[tokio::test]
async fn everything_about_a_customer_can_be_said_and_an_id_is_given_once() {
    let crm = scenario();
    let doors = doors(&crm);
    let gold = json!({
        "name": "Ada", "surname": "L", "customerId": "ada", "country": "GB", "loyaltyTier": "gold",
        "standing": "suspended", "billingAccount": "closed",
    });
    let made = post(&doors, "/customers", &gold).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!((&made.body["loyaltyTier"], &made.body["standing"]), (&json!("gold"), &json!("suspended")));
    let billing = get(&doors, "/customers/ada/billing-profile").await.body;
    assert_eq!((&billing["accountStatus"], &billing["taxRegion"]), (&json!("closed"), &json!("GB")));
    let again = post(&doors, "/customers", &gold).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, made.body));
    let other = post(&doors, "/customers", &json!({ "name": "Eve", "surname": "L", "customerId": "ada" })).await;
    assert_eq!((other.status, &other.body["code"]), (StatusCode::CONFLICT, &json!("customer_exists")));
}

#[tokio::test]
async fn who_is_not_here_or_has_no_account_is_not_found() {
    let crm = scenario();
    let doors = doors(&crm);
    let none = json!({ "name": "No", "surname": "Account", "customerId": "none", "billingAccount": "none" });
    post(&doors, "/customers", &none).await;
    for path in ["/customers/nobody", "/customers/nobody/billing-profile", "/customers/none/billing-profile"] {
        let answer = get(&doors, path).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")), "{path}");
    }
    assert_eq!(get(&doors, "/customers/none").await.status, StatusCode::OK);
}

#[tokio::test]
async fn bad_customers_are_refused_with_the_field_at_fault() {
    let crm = scenario();
    let doors = doors(&crm);
    let bad = [
        r#"{"name":"A"}"#,
        r#"{"surname":"A"}"#,
        r#"{"name":"","surname":"A"}"#,
        r#"{"name":1,"surname":"A"}"#,
        r#"{"name":"A","surname":"B","country":"gb"}"#,
        r#"{"name":"A","surname":"B","loyaltyTier":"platinum"}"#,
        r#"{"name":"A","surname":"B","customerId":"a b"}"#,
        r#"{"name":"A","surname":"B","customerId":"S.00112233445566778899aabbccddeeff"}"#,
        r#"{"name":"A","surname":"B","customerId":"nobody"}"#,
        r#"{"name":"A\u0000","surname":"B"}"#,
        "[]",
        "null",
        "{",
        "",
        "\u{fffd}",
    ];
    for body in bad {
        let answer = request(&doors, Method::POST, "/customers", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(!answer.body["errors"].as_array().unwrap().is_empty(), "{body}");
    }
    let long = json!({ "name": "x".repeat(300_000), "surname": "B" });
    assert_eq!(post(&doors, "/customers", &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(get(&doors, "/customers").await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_adds_and_changes_and_keeps_what_it_does_not_say() {
    let crm = scenario();
    let doors = doors(&crm);
    let first = json!([
        { "customerId": "a", "name": "A", "surname": "A", "country": "DE", "standing": "suspended" },
        { "customerId": "john-doe", "name": "Johnny", "surname": "Doe" },
    ]);
    assert_eq!(post(&doors, "/customers/import", &first).await.body, json!({ "upserted": 2 }));
    let second = json!([{ "customerId": "a", "name": "B", "surname": "A" }]);
    assert_eq!(post(&doors, "/customers/import", &second).await.body, json!({ "upserted": 1 }));
    let a = get(&doors, "/customers/a").await.body;
    assert_eq!((&a["name"], &a["country"], &a["standing"]), (&json!("B"), &json!("DE"), &json!("suspended")));
    assert_eq!(get(&doors, "/customers/john-doe").await.body["name"], json!("Johnny"));
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_bounded() {
    let crm = scenario();
    let doors = doors(&crm);
    let nameless = json!([{ "customerId": "a", "name": "A", "surname": "A" }, { "name": "B", "surname": "B" }]);
    let answer = post(&doors, "/customers/import", &nameless).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["path"]), (StatusCode::BAD_REQUEST, &json!("[1].customerId")));
    assert_eq!(get(&doors, "/customers/a").await.status, StatusCode::NOT_FOUND);
    let customer = |n: usize| json!({ "customerId": format!("c-{n:04}"), "name": "A", "surname": "A" });
    let many: Vec<Value> = (0..501).map(customer).collect();
    assert_eq!(post(&doors, "/customers/import", &json!(many)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&doors, "/customers/import", &json!([])).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&doors, "/customers/import", &json!(many[..500])).await.body, json!({ "upserted": 500 }));
}

#[tokio::test]
async fn the_link_header_leads_through_every_page() {
    let crm = scenario();
    let doors = doors(&crm);
    let customer = |n: usize| json!({ "customerId": format!("c-{n}"), "name": "A", "surname": "A" });
    post(&doors, "/customers/import", &json!((0..5).map(customer).collect::<Vec<_>>())).await;
    let (mut path, mut seen) = ("/customers?limit=3".to_owned(), Vec::new());
    loop {
        let response =
            tower::ServiceExt::oneshot(doors.clone(), Request::builder().uri(&path).body(Body::empty()).unwrap())
                .await
                .unwrap();
        let link = response.headers().get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let page: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        assert!(page.len() <= 3);
        seen.extend(page.into_iter().map(|each| each["customerId"].as_str().unwrap().to_owned()));
        let Some(link) = link else { break };
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(seen, ["john-doe", "jane-smith", "c-0", "c-1", "c-2", "c-3", "c-4"]);
    for query in ["limit=0", "limit=501", "limit=x", "limit=-1"] {
        assert_eq!(get(&doors, &format!("/customers?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_started_service_is_healthy_and_takes_pushes() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Database::Sqlite { path: folder.path().join("crm.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let running = service(&base, config()).unwrap().start(base.listen).await.unwrap();
    let peer = Peer::new("crm", &format!("http://{}", running.address()), std::time::Duration::from_secs(5));
    let health: Value = peer.get("/health").await.unwrap();
    assert_eq!(health, json!({ "status": "ok", "service": "crm" }));
    let push = peer.raw(Method::POST, "/", "not a push".into()).await.unwrap();
    assert_eq!(push.0, StatusCode::BAD_REQUEST);
    running.stop().await;
}
