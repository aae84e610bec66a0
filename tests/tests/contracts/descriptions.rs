//! Every service describes its doors, and describes all of them.

use boutique_tests::Shop;
use runtime::Caller;
use runtime::doors::Callers;

use crate::client::Client;

/// Services whose every door must be in their description.
const SERVICES: [&str; 12] = [
    "accounting",
    "checkout",
    "crm",
    "food",
    "fraud-bridge",
    "fraud-engine",
    "furniture",
    "inventory",
    "oms",
    "ops",
    "scheduler",
    "warehouse",
];

#[tokio::test]
async fn every_door_is_described_with_its_callers_its_answer_and_its_refusals() {
    let mut shop = Shop::open().await;
    shop.open_ops().await;
    let mut described = 0;
    for service in SERVICES {
        let document = Client::of(&shop, service).await.get("/openapi.json").await.told(200);
        assert_eq!((&document["openapi"], &document["info"]["title"]), (&"3.1.0".into(), &service.into()));
        for (_, door) in shop.doors().filter(|(name, _)| *name == service) {
            let what = format!("{service}: {} {}", door.method, door.path);
            let operation = &document["paths"][door.path][door.method.as_str().to_lowercase()];
            assert_eq!(operation["summary"], door.summary, "{what}");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|status| status.starts_with('2')), "{what} never succeeds");
            let is_guarded = door.callers != Callers::Anyone;
            assert_eq!(answers.contains_key("401") && answers.contains_key("403"), is_guarded, "{what}");
            let takes = operation.get("requestBody").is_some();
            assert_eq!(answers.contains_key("413"), takes, "{what}: a body has a limit, and only a body");
            described += 1;
        }
    }
    assert!(described > 90, "{described} doors");
    let stranger = Client::named(&shop, Caller::Checkout, "crm").await;
    assert_eq!(stranger.get("/openapi.json").await.status, 403);
    shop.close().await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405_with_those_it_takes() {
    let shop = Shop::open().await;
    let crm = Client::of(&shop, "crm").await;
    let answer = crm.delete("/customers").await;
    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
    answer.refused(405, "method_not_allowed");
    crm.get("/nowhere").await.refused(404, "not_found");
    shop.close().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_a_path_that_is_no_text_and_a_nul_are_refused() {
    let shop = Shop::open().await;
    let crm = Client::of(&shop, "crm").await;
    crm.get("/customers/%ff").await.refused(400, "bad_uri");
    crm.get("/customers/%00").await.refused(400, "bad_uri");
    crm.get("/customers?after=a%00").await.refused(400, "bad_uri");
    let nul = r#"{"name":"A\u0000","surname":"B"}"#;
    crm.send(http::Method::POST, "/customers", nul).await.at_fault("body");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    crm.send(http::Method::POST, "/customers", &deep).await.refused(400, "invalid_field");
    crm.get("/customers?limit=1&limit=2").await.refused(400, "invalid_field");
    shop.close().await;
}
