//! What the gateway passes on, merges and keeps to itself.

use gateway::Config;
use runtime::Identity;
use serde_json::{Value, json};

use crate::world::{Asked, ID, World};

fn story(said: &str) -> Value {
    json!({ "said": [{ "id": "e", "eventType": said, "causationId": null, "atMs": 1, "sentAtMs": null, "topic": "t", "data": {} }],
        "handled": [] })
}

#[tokio::test]
async fn an_order_is_passed_to_checkout_with_its_key_and_trace_and_nothing_else() {
    let world = World::new().await.on("POST checkout/orders", 201, json!({ "orderId": ID }));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("idempotency-key", "k"),
        ("traceparent", trace),
        ("content-type", "application/json"),
        ("cookie", "session"),
        ("x-forwarded-for", "10.0.0.1"),
        ("te", "trailers"),
        ("ce-id", "forged"),
    ];

    let answer = world.send("POST", "/v1/orders", &headers, r#"{"customerId":"c"}"#).await;

    assert_eq!((answer.status, &answer.body), (201, &json!({ "orderId": ID })));
    let asked = world.asked().remove(0);
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST checkout/orders", r#"{"customerId":"c"}"#));
    assert_eq!(
        (&asked.headers["idempotency-key"], &asked.headers["traceparent"]),
        (&"k".parse().unwrap(), &trace.parse().unwrap())
    );
    for name in ["cookie", "x-forwarded-for", "te", "ce-id"] {
        assert!(!asked.headers.contains_key(name), "{name}");
    }
    assert_eq!(
        (&answer.headers["location"], &answer.headers["traceparent"]),
        (&"/v1/orders/1".parse().unwrap(), &trace.parse().unwrap())
    );
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-internal"));
}

#[tokio::test]
async fn a_request_without_a_trace_is_given_one() {
    let world = World::new().await.on("POST checkout/orders", 201, json!({}));
    let answer = world.send("POST", "/v1/orders", &[("traceparent", "forged")], "{}").await;
    let trace = &answer.headers["traceparent"];
    assert_eq!(trace.len(), 55);
    assert_eq!(&world.asked()[0].headers["traceparent"], trace);
}

#[tokio::test]
async fn a_refusal_keeps_its_status_and_its_problem() {
    for status in [400, 403, 409, 422, 500, 503] {
        let problem = json!({ "type": "t", "title": "t", "status": status, "code": "out_of_stock", "detail": "d" });
        let world = World::new().await.on("POST checkout/orders", status, problem.clone());
        let answer = world.send("POST", "/v1/orders", &[], "{}").await;
        assert_eq!((answer.status, answer.body), (status, problem));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(world.asked().len(), 1, "an order is passed on once");
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_a_503_of_ours() {
    let world = World::new().await.silent(&["checkout", "oms"]);
    for (method, path) in [
        ("POST", "/v1/orders".to_owned()),
        ("GET", "/v1/orders".to_owned()),
        ("POST", format!("/v1/orders/{ID}/cancel")),
        ("POST", format!("/v1/orders/{ID}/returns")),
    ] {
        let answer = world.send(method, &path, &[], "{}").await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (503, Some("service_unavailable")));
    }
}

#[tokio::test]
async fn lists_and_cancellations_go_to_oms() {
    let cancel = format!("POST oms/orders/{ID}/cancel");
    let world = World::new()
        .await
        .on("GET oms/orders?status=on_hold&limit=2", 200, json!({ "orders": [] }))
        .on("GET oms/orders", 200, json!({ "orders": [1] }))
        .on(&cancel, 409, json!({ "code": "already_dispatched" }));
    assert_eq!(world.get("/v1/orders?status=on_hold&limit=2").await.body, json!({ "orders": [] }));
    assert_eq!(world.get("/v1/orders").await.body, json!({ "orders": [1] }));
    let answer = world.send("POST", &format!("/v1/orders/{ID}/cancel"), &[], "").await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (409, Some("already_dispatched")));
}

#[tokio::test]
async fn a_return_goes_to_oms_with_its_key_and_its_answer_comes_back() {
    let path = format!("POST oms/orders/{ID}/returns");
    let world = World::new().await.on(&path, 201, json!({ "returnId": "r-1", "status": "expected" }));
    let body = r#"{"lines":[{"productId":"LAMP","quantity":1}],"reason":"other"}"#;
    let headers = [("idempotency-key", "key-1"), ("cookie", "secret")];
    let answer = world.send("POST", &format!("/v1/orders/{ID}/returns"), &headers, body).await;
    assert_eq!((answer.status, &answer.body["returnId"]), (201, &json!("r-1")));
    let [asked]: [Asked; 1] = world.asked().try_into().ok().unwrap();
    assert_eq!((asked.line.as_str(), asked.body.as_str()), (path.as_str(), body));
    assert_eq!(asked.headers["idempotency-key"], "key-1");
    assert!(!asked.headers.contains_key("cookie"));
    assert_eq!(world.send("POST", "/v1/orders/no%20id/returns", &[], body).await.status, 404);
}

fn known(world: World) -> World {
    world
        .on(&format!("GET oms/orders/{ID}"), 200, json!({ "orderId": ID, "status": "shipped" }))
        .on(&format!("GET accounting/invoices/{ID}"), 200, json!({ "invoiceId": "i" }))
        .on(&format!("GET warehouse/shipments?orderId={ID}"), 200, json!({ "shipments": [{ "shipmentId": "s" }] }))
        .on(&format!("GET checkout/orders/{ID}"), 200, json!({ "orderId": ID, "status": "confirmed" }))
}

#[tokio::test]
async fn an_order_is_shown_from_all_sides() {
    let world = known(World::new().await);
    let answer = world.get(&format!("/v1/orders/{ID}")).await;
    let expected = json!({ "order": { "orderId": ID, "status": "shipped" }, "invoice": { "invoiceId": "i" },
        "shipments": [{ "shipmentId": "s" }], "missing": [] });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn sides_that_are_down_or_do_not_know_are_named() {
    let world = known(World::new().await).silent(&["warehouse"]);
    world.forget(&format!("GET accounting/invoices/{ID}"));
    let answer = world.get(&format!("/v1/orders/{ID}")).await;
    let expected = json!({ "order": { "orderId": ID, "status": "shipped" }, "invoice": null, "shipments": null,
        "missing": ["accounting", "warehouse"] });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn an_order_oms_has_not_heard_of_is_shown_as_checkout_keeps_it() {
    let unheard = known(World::new().await);
    unheard.forget(&format!("GET oms/orders/{ID}"));
    for world in [unheard, known(World::new().await).silent(&["oms"])] {
        let answer = world.get(&format!("/v1/orders/{ID}")).await;
        assert_eq!((answer.status, &answer.body["order"]["status"]), (200, &json!("confirmed")));
        assert_eq!(answer.body["missing"], json!(["oms"]));
    }
}

/// OMS and checkout have two addresses each, of which one takes every call and never answers.
#[tokio::test]
async fn an_address_that_is_silent_is_put_aside_by_merged_answers() {
    let two =
        |url: &mut String| *url = format!("{url},{}", url.replace("/oms", "/silent").replace("/checkout", "/silent"));
    let world = World::with(|config| {
        two(&mut config.services.oms);
        two(&mut config.services.checkout);
        (config.timeout_ms, config.part_timeout_ms) = (15_000, 1_000);
    });
    let world = known(world.await).silent(&["silent"]).on(&format!("GET checkout/events/{ID}"), 200, story("x"));
    for _ in 0..20 {
        let answer = world.get(&format!("/v1/orders/{ID}")).await;
        assert_eq!((answer.status, &answer.body["missing"]), (200, &json!([])));
    }
    let silent = world.asked().into_iter().filter(|asked| asked.line.starts_with("GET silent/")).count();
    assert!((1..=5).contains(&silent), "it was asked {silent} times");
    for _ in 0..20 {
        let timeline = world.get(&format!("/v1/orders/{ID}/timeline")).await.body;
        assert!(timeline["services"][0]["story"].is_object(), "{timeline}");
    }
}

#[tokio::test]
async fn an_order_nobody_knows_is_404_and_one_nobody_can_name_is_503() {
    assert_eq!(World::new().await.get(&format!("/v1/orders/{ID}")).await.status, 404);
    let world = World::new().await.silent(&["oms", "checkout"]);
    assert_eq!(world.get(&format!("/v1/orders/{ID}")).await.status, 503);
}

#[tokio::test]
async fn what_is_no_id_reaches_no_service() {
    let world = World::new().await;
    for path in ["/v1/orders/a%2Fb", "/v1/orders/a%20b/timeline", "/v1/orders/%3F"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    let long = format!("/v1/orders/{}/cancel", "x".repeat(65));
    assert_eq!(world.send("POST", &long, &[], "").await.status, 404);
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn the_timeline_has_a_chapter_for_every_service() {
    let mut world = World::new().await.silent(&["crm"]);
    for service in ["checkout", "oms"] {
        world = world.on(&format!("GET {service}/events/{ID}"), 200, story(service));
    }
    let answer = world.get(&format!("/v1/orders/{ID}/timeline")).await;
    assert_eq!((answer.status, &answer.body["orderId"]), (200, &json!(ID)));
    let chapters = answer.body["services"].as_array().unwrap();
    let names: Vec<_> = chapters.iter().map(|chapter| chapter["service"].as_str().unwrap()).collect();
    assert_eq!(names, ["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "fraud-bridge", "crm"]);
    assert_eq!(chapters[1]["story"]["said"][0]["eventType"], "oms");
    assert_eq!((&chapters[2]["story"], &chapters[7]["story"]), (&json!({ "said": [], "handled": [] }), &Value::Null));
    assert_eq!(World::new().await.get(&format!("/v1/orders/{ID}/timeline")).await.status, 404);
}

#[tokio::test]
async fn bodies_have_a_limit_and_paths_a_table() {
    let world = World::new().await;
    assert_eq!(world.send("POST", "/v1/orders", &[], &"x".repeat(65 * 1024)).await.status, 413);
    for (method, path, status) in
        [("GET", "/", 404), ("GET", "/orders", 404), ("DELETE", "/v1/orders", 405), ("PUT", "/v1/catalog", 405)]
    {
        let answer = world.send(method, path, &[], "").await;
        assert_eq!(
            (answer.status, answer.headers["content-type"].to_str().unwrap()),
            (status, "application/problem+json")
        );
    }
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn it_starts_answers_its_health_and_stops() {
    let issuer = crate::world::trusted().await.0;
    let (config, nobody) = (Config::of(issuer), Identity::open_house());
    let gateway = gateway::start("127.0.0.1:0".parse().unwrap(), config.clone(), &nobody).await.unwrap();
    let address = gateway.address();
    let peer = runtime::Peer::new("gateway", &format!("http://{address}"), std::time::Duration::from_secs(5));
    for path in ["/health", "/ready"] {
        assert_eq!(peer.get::<Value>(path).await.unwrap()["service"], gateway::NAME);
    }
    assert!(gateway::start(address, config, &nobody).await.is_err(), "the address is taken");
    gateway.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_description_and_its_page_are_for_everybody() {
    let world = World::new().await;
    let document = world.send_bare("GET", "/openapi.json", &[], "").await;
    assert_eq!((document.status, &document.body["openapi"]), (200, &json!("3.1.0")));
    assert!(document.body["paths"]["/v1/orders/{orderId}/events"]["get"].is_object());
    let page = world.send_bare("GET", "/docs", &[], "").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("orders:write") && page.text.contains("/v1/catalog"), "{}", page.text);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
}
