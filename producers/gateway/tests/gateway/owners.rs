//! Customers among each other: everybody sees and touches their own orders only.

use serde_json::{Value, json};

use crate::hands::Hands;
use crate::world::{CUSTOMER, ID, World};

/// Anna's order as OMS has it, under her sealed id; the CRM knows both of her.
async fn annas(owner: &str) -> World {
    World::new()
        .await
        .on(&format!("GET oms/orders/{ID}"), 200, json!({ "orderId": ID, "status": "confirmed", "customerId": owner }))
        .on(&format!("POST oms/orders/{ID}/cancel"), 200, json!({ "orderId": ID, "status": "cancelled" }))
        .on(&format!("POST oms/orders/{ID}/returns"), 201, json!({ "returnId": "r" }))
        .on("GET crm/customers/anna", 200, json!({ "customerId": "anna", "sealedId": "s-anna" }))
        .on("GET crm/customers/bert", 200, json!({ "customerId": "bert", "sealedId": "s-bert" }))
}

const DOORS: [(&str, &str, u16); 3] = [("GET", "", 200), ("POST", "/cancel", 200), ("POST", "/returns", 201)];

#[tokio::test]
async fn an_order_is_its_customers_whichever_id_it_has_and_nobody_elses() {
    for owner in ["anna", "s-anna"] {
        let world = annas(owner).await;
        for (method, rest, status) in DOORS {
            let path = format!("/v1/orders/{ID}{rest}");
            assert_eq!(
                world.send_as("anna", CUSTOMER, method, &path, &[], "{}").await.status,
                status,
                "{owner} {path}"
            );
            world.asked();
            let answer = world.send_as("bert", CUSTOMER, method, &path, &[], "{}").await;
            assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not_found")), "{path}");
            let touched = world.asked().into_iter().any(|asked| asked.line.starts_with("POST"));
            assert!(!touched, "nothing of another's order is passed on");
            assert_eq!(world.send("GET", &format!("/v1/orders/{ID}"), &[], "").await.status, 200, "staff sees all");
        }
        let answer = world.get_as("bert", &format!("/v1/orders/{ID}/events")).await;
        assert_eq!(answer.status, 404);
    }
}

/// An order of Anna's with everything OMS and checkout have of one, and with what they may have some day.
fn whole(reason: &str) -> Value {
    json!({ "orderId": ID, "status": "cancelled", "customerId": "anna", "lines": [{ "productId": "LAMP", "quantity": 1 }],
        "subtotal": { "units": 2 }, "discount": { "units": 1 }, "total": { "units": 1 }, "placedAt": "then", "updatedAt": "now",
        "returns": [], "cancellationReason": reason, "risk": "HIGH", "waitingFor": ["risk"],
        "waits": [{ "step": "risk", "owedBy": "fraud-bridge" }], "facts": [{ "type": "risk.fraud_flagged" }], "margin": 3 })
}

/// What she is told of it.
fn told(reason: Option<&str>) -> Value {
    let mut told = whole("");
    for member in ["risk", "waitingFor", "waits", "facts", "margin", "cancellationReason"] {
        told.as_object_mut().unwrap().remove(member);
    }
    if let Some(reason) = reason {
        told["cancellationReason"] = reason.into();
    }
    told
}

#[tokio::test]
async fn a_customer_is_told_of_the_order_and_staff_also_how_the_shop_decides() {
    let one = format!("/v1/orders/{ID}");
    let cancel = format!("{one}/cancel");
    let order = r#"{"customerId":"anna","lines":[]}"#;
    for (reason, expected) in [("by_customer", told(Some("by_customer"))), ("fraud_confirmed", told(None))] {
        let whole = whole(reason);
        let world = annas("anna")
            .await
            .on("POST checkout/orders", 201, whole.clone())
            .on(&format!("GET oms/orders/{ID}"), 200, whole.clone())
            .on("GET oms/orders?customerId=s-anna", 200, json!({ "orders": [whole], "next": "n", "risky": 1 }))
            .on("GET oms/orders", 200, json!({ "orders": [whole], "risky": 1 }))
            .on(&format!("POST oms/orders/{ID}/cancel"), 200, whole.clone());
        let hers = async |method: &str, path: &str, body: &str| {
            world.send_as("anna", CUSTOMER, method, path, &[], body).await.body
        };
        assert_eq!(hers("POST", "/v1/orders", order).await, expected);
        assert_eq!(hers("GET", &one, "").await["order"], expected);
        assert_eq!(hers("GET", "/v1/orders", "").await, json!({ "orders": [expected], "next": "n" }));
        assert_eq!(hers("POST", &cancel, "{}").await, expected);
        assert_eq!(world.send("POST", "/v1/orders", &[], order).await.body, whole);
        assert_eq!(world.send("GET", &one, &[], "").await.body["order"], whole);
        assert_eq!(world.send("GET", "/v1/orders", &[], "").await.body, json!({ "orders": [whole], "risky": 1 }));
        assert_eq!(world.send("POST", &cancel, &[], "{}").await.body, whole);
    }
}

#[tokio::test]
async fn a_customer_is_told_no_more_where_checkout_stands_in_for_oms_and_of_a_return() {
    let rejected =
        json!({ "orderId": ID, "status": "rejected", "customerId": "anna", "problem": { "code": "out_of_stock" } });
    let asked = json!({ "returnId": "r", "orderId": ID, "status": "expected", "lines": [], "risk": "HIGH" });
    for (kept, expected) in [(whole("by_customer"), told(Some("by_customer"))), (rejected.clone(), rejected)] {
        let world = annas("anna").await.on(&format!("GET checkout/orders/{ID}"), 200, kept.clone()).on(
            &format!("POST oms/orders/{ID}/returns"),
            201,
            asked.clone(),
        );
        world.forget(&format!("GET oms/orders/{ID}"));
        let one = format!("/v1/orders/{ID}");
        assert_eq!(world.get_as("anna", &one).await.body["order"], expected);
        assert_eq!(world.get(&one).await.body["order"], kept);
        let sent_back = world.send_as("anna", CUSTOMER, "POST", &format!("{one}/returns"), &[], "{}").await;
        let expected = json!({ "returnId": "r", "orderId": ID, "status": "expected", "lines": [] });
        assert_eq!((sent_back.status, sent_back.body), (201, expected));
    }
}

#[tokio::test]
async fn what_is_no_order_is_not_passed_to_a_customer() {
    let world = annas("anna").await.on(&format!("POST oms/orders/{ID}/cancel"), 200, json!(["risk"]));
    let answer = world.send_as("anna", CUSTOMER, "POST", &format!("/v1/orders/{ID}/cancel"), &[], "{}").await;
    assert_eq!((answer.status, &answer.body["code"]), (502, &json!("bad_answer")));
}

#[tokio::test]
async fn anothers_order_and_one_that_is_not_there_are_told_alike() {
    let world = annas("s-anna").await;
    let theirs = world.get_as("bert", &format!("/v1/orders/{ID}")).await;
    let nobodys = world.get_as("bert", "/v1/orders/0190b8f2-7c1a-7000-8000-000000000009").await;
    assert_eq!((theirs.status, &theirs.body), (nobodys.status, &nobodys.body));
}

#[tokio::test]
async fn a_token_may_name_the_customer_beside_its_subject() {
    let world = annas("s-anna").await;
    let mut claims = world.clients.claims("login-7", CUSTOMER);
    claims["customer_id"] = json!("anna");
    let header = format!("Bearer {}", world.clients.key.token(&claims));
    let answer = world.send_bare("GET", &format!("/v1/orders/{ID}"), &[("authorization", &header)], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn while_oms_has_not_heard_of_an_order_checkout_says_whose_it_is() {
    let world = World::new()
        .await
        .on(&format!("GET oms/orders/{ID}"), 200, json!({ "orderId": ID, "customerId": null }))
        .on(&format!("GET checkout/orders/{ID}"), 200, json!({ "orderId": ID, "customerId": "anna" }));
    assert_eq!(world.get_as("anna", &format!("/v1/orders/{ID}")).await.status, 200);
    assert_eq!(world.get_as("bert", &format!("/v1/orders/{ID}")).await.status, 404);
}

#[tokio::test]
async fn when_nobody_can_say_whose_an_order_is_it_is_503_and_nothing_is_passed_on() {
    let world = annas("s-anna").await.silent(&["crm"]);
    let answer = world.send_as("bert", CUSTOMER, "POST", &format!("/v1/orders/{ID}/cancel"), &[], "{}").await;
    assert_eq!(answer.status, 503);
    assert!(world.asked().into_iter().all(|asked| !asked.line.starts_with("POST")));
}

#[tokio::test]
async fn while_the_crm_is_down_anothers_order_and_one_that_is_not_there_are_told_alike() {
    let world = annas("s-anna").await.silent(&["crm"]);
    let theirs = world.get_as("bert", &format!("/v1/orders/{ID}")).await;
    let nobodys = world.get_as("bert", "/v1/orders/0190b8f2-7c1a-7000-8000-000000000009").await;
    assert_eq!((theirs.status, &theirs.body), (503, &nobodys.body));
}

/// Anna has her account erased and opens another one: the CRM seals the same name to another id, and what was ordered before is nobody's.
#[tokio::test]
async fn who_a_customer_is_is_asked_again_after_a_minute() {
    let (hands, _held) = Hands::hold();
    let world = annas("s-anna").await;
    let status = async || world.get_as("anna", &format!("/v1/orders/{ID}")).await.status;
    assert_eq!(status().await, 200);
    world.say("GET crm/customers/anna", 200, json!({ "customerId": "anna", "sealedId": "s-anna-2" }));
    hands.pass(59_999);
    assert_eq!(status().await, 200);
    hands.pass(1);
    assert_eq!(status().await, 404);
}

#[tokio::test]
async fn a_customer_orders_for_oneself_and_staff_for_anybody() {
    let world = World::new().await.on("POST checkout/orders", 201, json!({}));
    let order = |customer: &str| format!(r#"{{"customerId":"{customer}","lines":[]}}"#);
    let place = async |subject: &str, body: &str| {
        let answer = world.send_as(subject, CUSTOMER, "POST", "/v1/orders", &[], body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(place("anna", &order("anna")).await.0, 201);
    assert_eq!(place("bert", &order("anna")).await, (403, "another_customer".to_owned()));
    assert_eq!(place("bert", r#"{"lines":[]}"#).await.0, 400);
    assert_eq!(
        place("bert", r#"{"customerId":"bert","customerId":"anna"}"#).await.0,
        400,
        "who is read is who is checked"
    );
    assert_eq!(place("not a customer", &order("anna")).await.0, 403);
    assert_eq!(world.send("POST", "/v1/orders", &[], &order("anna")).await.status, 201);
    let passed: Vec<String> = world.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(passed, [order("anna"), order("anna")]);
}

#[tokio::test]
async fn lists_are_of_ones_own_orders_under_the_id_services_know() {
    let world = annas("s-anna")
        .await
        .on("GET oms/orders?customerId=s-anna&limit=2", 200, json!({ "orders": [{ "orderId": "anna" }] }))
        .on("GET oms/orders?customerId=carl", 200, json!({ "orders": [{ "orderId": "carl" }] }))
        .on("GET oms/orders", 200, json!({ "orders": ["all"] }));
    let list = async |subject: &str, query: &str| world.get_as(subject, &format!("/v1/orders{query}")).await;
    assert_eq!(list("anna", "?limit=2").await.body["orders"], json!([{ "orderId": "anna" }]));
    assert_eq!(list("anna", "?customerId=anna&limit=2").await.body["orders"], json!([{ "orderId": "anna" }]));
    assert_eq!(list("carl", "").await.body["orders"], json!([{ "orderId": "carl" }]), "the CRM does not know them");
    let answer = list("bert", "?customerId=anna&limit=2").await;
    assert_eq!((answer.status, &answer.body["code"]), (403, &json!("another_customer")));
    assert_eq!(world.get("/v1/orders").await.body["orders"], json!(["all"]));
    assert_eq!(world.get("/v1/orders?customerId=anna&limit=2").await.body["orders"], json!([{ "orderId": "anna" }]));
    for query in
        ["?customerId=a%26status=x", "?status=a%26customerId%3Dcarl", "?after=%2F", "?order=1", "?limit=1&limit=2"]
    {
        assert_eq!(list("anna", query).await.status, 400, "{query}");
    }
    let asked = world.asked().into_iter().filter(|asked| asked.line == "GET crm/customers/anna").count();
    assert_eq!(asked, 1, "who a customer is is remembered");
}

#[tokio::test]
async fn what_services_tell_each_other_is_for_staff() {
    let world = annas("anna").await;
    let answer = world.get_as("anna", &format!("/v1/orders/{ID}/timeline")).await;
    assert_eq!((answer.status, answer.body["code"].clone()), (403, Value::from("insufficient_scope")));
}
