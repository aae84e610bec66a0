//! The gateway between stand-ins of its services: what it passes on, merges and keeps to itself.
#![allow(clippy::unwrap_used, reason = "a stand-in that is not asked what it expects ends the test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gateway::Config;
use runtime::server::Server;
use serde_json::{Value, json};
use tower::ServiceExt;

const ID: &str = "0190b8f2-7c1a-7000-8000-000000000001";
const SERVICES: [&str; 9] =
    ["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "food", "fraud-bridge", "crm"];

/// What a stand-in was sent.
struct Asked {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// Answers by `METHOD service/path?query`; everything else is 404. Silent services never answer.
#[derive(Default)]
struct Script {
    answers: BTreeMap<String, (u16, Value)>,
    silent: Vec<&'static str>,
    asked: Vec<Asked>,
}

struct World {
    router: Router,
    script: Arc<Mutex<Script>>,
    _server: Server,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl World {
    async fn new() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stand_ins = Router::new().fallback(stand_in).with_state(Arc::clone(&script));
        let server = Server::start(listener, stand_ins).unwrap();
        let [
            checkout_url,
            oms_url,
            accounting_url,
            warehouse_url,
            inventory_url,
            furniture_url,
            food_url,
            fraud_bridge_url,
            crm_url,
        ] = SERVICES.map(|service| format!("http://{}/{service}", server.address()));
        let config = Config {
            checkout_url,
            oms_url,
            accounting_url,
            warehouse_url,
            inventory_url,
            furniture_url,
            food_url,
            fraud_bridge_url,
            crm_url,
            timeout_ms: 200,
            part_timeout_ms: 200,
        };
        Self { router: gateway::router(&config, &runtime::Identity::open_house()), script, _server: server }
    }

    fn on(self, line: &str, status: u16, body: Value) -> Self {
        self.script.lock().unwrap().answers.insert(line.to_owned(), (status, body));
        self
    }

    fn silent(self, services: &[&'static str]) -> Self {
        self.script.lock().unwrap().silent.extend(services);
        self
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body: serde_json::from_slice(&bytes).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

async fn stand_in(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    let line = format!("{} {}", head.method, head.uri.to_string().trim_start_matches('/'));
    let service = line.split([' ', '/']).nth(1).unwrap().to_owned();
    let answer = {
        let mut script = script.lock().unwrap();
        let answer = script.answers.get(&line).cloned();
        script.asked.push(Asked { line, headers: head.headers, body });
        if script.silent.contains(&service.as_str()) { None } else { Some(answer) }
    };
    match answer {
        None => std::future::pending().await,
        Some(None) => (StatusCode::NOT_FOUND, axum::Json(json!({}))).into_response(),
        Some(Some((status, body))) => {
            let kind = if status < 400 { "application/json" } else { "application/problem+json" };
            let headers = [
                ("content-type", kind),
                ("location", "/orders/1"),
                ("set-cookie", "a=b"),
                ("x-internal", "10.1.0.2"),
                ("retry-after", "1"),
            ];
            (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
        }
    }
}

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
    world.script.lock().unwrap().answers.remove(&format!("GET accounting/invoices/{ID}"));
    let answer = world.get(&format!("/v1/orders/{ID}")).await;
    let expected = json!({ "order": { "orderId": ID, "status": "shipped" }, "invoice": null, "shipments": null,
        "missing": ["accounting", "warehouse"] });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn an_order_oms_has_not_heard_of_is_shown_as_checkout_keeps_it() {
    let unheard = known(World::new().await);
    unheard.script.lock().unwrap().answers.remove(&format!("GET oms/orders/{ID}"));
    for world in [unheard, known(World::new().await).silent(&["oms"])] {
        let answer = world.get(&format!("/v1/orders/{ID}")).await;
        assert_eq!((answer.status, &answer.body["order"]["status"]), (200, &json!("confirmed")));
        assert_eq!(answer.body["missing"], json!(["oms"]));
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

fn item(id: &str) -> Value {
    json!({ "productId": id, "name": id, "category": "c", "unitPrice": { "currencyCode": "USD", "units": 1, "nanos": 0 },
        "location": "l", "stockLevel": 5, "reserved": 1, "available": 4, "lastUpdated": "2026-01-01T00:00:00Z" })
}

fn menu() -> Value {
    json!({ "foodItems": [{ "id": 1, "name": "Pizza", "category": "Italian", "price": 12.99 }],
        "inventoryCheck": { "checked": true, "timestamp": "2026-01-01T00:00:00Z",
            "inventoryItems": [{ "productId": "FOOD-1", "stockLevel": 9, "available": 7 }] } })
}

fn shelves(world: World) -> World {
    let page =
        |ids: &[&str], total: u64| json!({ "total": total, "data": ids.iter().map(|id| item(id)).collect::<Vec<_>>() });
    let with_next = |ids: &[&str], total: u64, next: &str| {
        let mut page = page(ids, total);
        page["next"] = json!(next);
        page
    };
    world
        .on("GET inventory/inventory?limit=100", 200, page(&["A", "B", "C", "FOOD-1"], 4))
        .on("GET inventory/inventory?limit=1", 200, with_next(&["A"], 4, "A"))
        .on("GET inventory/inventory?limit=2", 200, with_next(&["A", "B"], 4, "B"))
        .on("GET inventory/inventory?limit=2&after=B", 200, page(&["C", "FOOD-1"], 4))
        .on("GET furniture/inventory?limit=97", 200, page(&["FURN-1"], 1))
        .on("GET furniture/inventory?limit=1", 200, page(&["FURN-1"], 1))
        .on("GET food/food?limit=96", 200, menu())
        .on("GET food/food?limit=2", 200, menu())
        .on("GET food/food?limit=500", 200, menu())
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| item["productId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_catalogue_has_every_product_once() {
    let page = shelves(World::new().await).get("/v1/catalog").await.body;
    assert_eq!(ids(&page), ["A", "B", "C", "FURN-1", "FOOD-1"]);
    assert_eq!(page["totals"], json!({ "inventory": 4, "furniture": 1, "food": 1 }));
    assert_eq!((&page["missing"], &page["next"]), (&json!([]), &Value::Null));
    assert_eq!(
        page["data"][4],
        json!({ "productId": "FOOD-1", "name": "Pizza", "category": "Italian", "available": 7,
        "unitPrice": { "currencyCode": "USD", "units": 12, "nanos": 990_000_000 }, "source": "food" })
    );
}

#[tokio::test]
async fn the_catalogue_pages_through_every_shelf() {
    let world = shelves(World::new().await);
    let (mut seen, mut path) = (Vec::new(), "/v1/catalog?limit=2".to_owned());
    for _ in 0..10 {
        let page = world.get(&path).await.body;
        assert_eq!(page["totals"], json!({ "inventory": 4, "furniture": 1, "food": 1 }), "{path}");
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/catalog?limit=2&after={next}");
    }
    assert_eq!(seen, ["A", "B", "C", "FURN-1", "FOOD-1"]);
}

#[tokio::test]
async fn a_shelf_that_is_down_is_named_and_the_others_are_shown() {
    let page = shelves(World::new().await).silent(&["furniture"]).on("GET food/food?limit=97", 200, menu());
    let page = page.get("/v1/catalog").await.body;
    assert_eq!(ids(&page), ["A", "B", "C", "FOOD-1"]);
    assert_eq!((&page["missing"], &page["totals"]), (&json!(["furniture"]), &json!({ "inventory": 4, "food": 1 })));
}

#[tokio::test]
async fn a_query_that_is_none_is_refused() {
    let world = World::new().await;
    for query in ["limit=0", "limit=501", "limit=a", "after=A", "after=attic:A", "after=food:%2F", "limit=1&limit=2"] {
        let answer = world.get(&format!("/v1/catalog?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
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
    let gateway = gateway::start("127.0.0.1:0".parse().unwrap(), Config::default(), &runtime::Identity::open_house())
        .await
        .unwrap();
    let address = gateway.address();
    let peer = runtime::Peer::new("gateway", &format!("http://{address}"), std::time::Duration::from_secs(5));
    for path in ["/health", "/ready"] {
        assert_eq!(peer.get::<Value>(path).await.unwrap()["service"], gateway::NAME);
    }
    assert!(
        gateway::start(address, Config::default(), &runtime::Identity::open_house()).await.is_err(),
        "the address is taken"
    );
    gateway.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
