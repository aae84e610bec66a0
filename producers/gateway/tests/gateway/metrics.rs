//! What is counted and measured, and who sees it.

use gateway::Rate;
use serde_json::json;

use crate::world::{CUSTOMER, ID, World};

/// The page, as what watches over the gateway sees it.
async fn page(world: &World) -> String {
    let answer = world.send_as("prometheus", "metrics:read", "GET", "/-/metrics", &[], "").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"text/plain; version=0.0.4; charset=utf-8".parse().unwrap())
    );
    answer.text
}

fn assert_has(page: &str, line: &str) {
    assert!(page.lines().any(|each| each == line), "{line} is not in\n{page}");
}

#[tokio::test]
async fn requests_are_counted_and_measured_by_route_and_never_by_path() {
    let world = World::new().await.on("POST checkout/orders", 201, json!({ "orderId": ID })).on(
        &format!("GET oms/orders/{ID}"),
        200,
        json!({ "orderId": ID, "customerId": "anna" }),
    );
    let one = format!("/v1/orders/{ID}");
    for path in [one.as_str(), one.as_str(), "/v1/orders/0190b8f2-7c1a-7000-8000-000000000009"] {
        world.get_as("anna", path).await;
    }
    world.send_as("anna", CUSTOMER, "POST", "/v1/orders", &[], r#"{"customerId":"anna"}"#).await;
    world.get_as("anna", "/v1/orders-of-anna").await;
    world.send_as("anna", CUSTOMER, "DELETE", &one, &[], "").await;

    let page = page(&world).await;

    let count = |method: &str, route: &str, status: &str, count: u32| {
        let labels = format!("service=\"gateway\",method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        assert_has(&page, &format!("boutique_requests_total{{{labels}}} {count}"));
    };
    count("GET", "/v1/orders/{orderId}", "2xx", 2);
    count("GET", "/v1/orders/{orderId}", "4xx", 1);
    count("POST", "/v1/orders", "2xx", 1);
    count("GET", "/v1/orders", "2xx", 0);
    count("any", "none", "4xx", 2);
    let seconds = "boutique_request_seconds_count{service=\"gateway\",method=\"GET\",route=\"/v1/orders/{orderId}\"} 3";
    assert_has(&page, seconds);
    for word in [ID, "anna"] {
        assert!(!page.contains(word), "{word} became a label");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_counted_by_why() {
    let world = World::with(|config| {
        config.rates.customer = Rate::new(1, 2);
        config.rates.address = Rate::new(1, 6);
    })
    .await;
    for _ in 0..3 {
        world.get_as("anna", "/v1/nothing").await;
    }
    world.send_bare("GET", "/v1/catalog", &[], "").await;
    world.send_bare("GET", "/v1/catalog", &[("authorization", "Bearer none")], "").await;
    // Of the address's six requests this is the last.
    let before = page(&world).await;
    let refused = |page: &str, code: &str, count: u32| {
        assert_has(page, &format!("boutique_requests_refused_total{{service=\"gateway\",code=\"{code}\"}} {count}"));
    };
    for (code, count) in [("subject_limit", 1), ("missing_token", 1), ("malformed_token", 1), ("address_limit", 0)] {
        refused(&before, code, count);
    }
    assert_eq!(world.send_bare("GET", "/v1/catalog", &[], "").await.status, 429);
    let line = "boutique_requests_total{service=\"gateway\",method=\"GET\",route=\"/v1/catalog\",status=\"4xx\"} 2";
    assert_has(&before, line);
}

#[tokio::test]
async fn open_streams_are_counted() {
    let world =
        World::new().await.on(&format!("GET oms/orders/{ID}"), 200, json!({ "orderId": ID, "customerId": "anna" }));
    assert_has(&page(&world).await, "boutique_streams_open{service=\"gateway\"} 0");
    let token = format!("Bearer {}", world.clients.token("anna", CUSTOMER));
    let stream = world.open("GET", &format!("/v1/orders/{ID}/events"), &[("authorization", &token)], "").await;
    assert_has(&page(&world).await, "boutique_streams_open{service=\"gateway\"} 1");
    drop(stream);
    assert_has(&page(&world).await, "boutique_streams_open{service=\"gateway\"} 0");
}
