//! Who comes in: tokens that are believed, and what they allow.

use axum::http::header::WWW_AUTHENTICATE;
use gateway::Scope;
use serde_json::{Value, json};
use testkit::TestKey;

use crate::log::Log;
use crate::world::{AUDIENCE, CUSTOMER, ID, World};

const ROUTES: [(&str, &str, &str); 9] = [
    ("POST", "/v1/orders", "orders:write"),
    ("GET", "/v1/orders", "orders:read"),
    ("GET", "/v1/orders/ID", "orders:read"),
    ("POST", "/v1/orders/ID/cancel", "orders:write"),
    ("POST", "/v1/orders/ID/returns", "orders:write"),
    ("GET", "/v1/orders/ID/events", "orders:read"),
    ("GET", "/v1/orders/ID/timeline", "orders:any"),
    ("GET", "/v1/catalog", "catalog:read"),
    ("GET", "/-/metrics", "metrics:read"),
];

/// The claims of a good token with one changed.
fn but(world: &World, name: &str, value: Value) -> Value {
    let mut claims = world.clients.claims("anna", CUSTOMER);
    claims[name] = value;
    claims
}

#[tokio::test]
async fn without_a_token_nothing_is_to_be_had_but_that_it_lives() {
    let world = World::new().await;
    for (method, path, _) in ROUTES.into_iter().chain([("GET", "/nowhere", ""), ("DELETE", "/v1/catalog", "")]) {
        let answer = world.send_bare(method, &path.replace("ID", ID), &[], "{}").await;
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("missing_token")), "{method} {path}");
        assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer");
    }
    assert_eq!(world.asked().len(), 0, "no service was asked");
    for path in ["/health", "/ready", "/openapi.json", "/docs"] {
        assert_eq!(world.send_bare("GET", path, &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn each_route_needs_its_scope_and_names_it() {
    let world = World::new().await;
    for (method, path, scope) in ROUTES {
        let others: Vec<&str> = Scope::ALL.into_iter().map(Scope::name).filter(|other| *other != scope).collect();
        let path = path.replace("ID", ID);
        let answer = world.send_as("anna", &others.join(" "), method, &path, &[], "{}").await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("insufficient_scope")), "{method} {path}");
        assert!(answer.body["detail"].as_str().unwrap().contains(scope));
        let challenge = answer.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert_eq!(challenge, format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""));
    }
    assert_eq!(world.asked().len(), 0, "no service was asked");
}

#[tokio::test]
async fn a_token_that_is_not_to_be_believed_is_401_and_never_repeated_nor_logged() {
    let (log, _logging) = Log::capture();
    let world = World::new().await;
    let (clients, now_s) = (&world.clients, runtime::clock::now_ms() / 1_000);
    let good = clients.claims("anna", CUSTOMER);
    let stranger = TestKey::ec("key-1");
    let cases = [
        ("wrong_algorithm", TestKey::unsigned_token(&good)),
        ("wrong_algorithm", clients.key.hmac_token(&good)),
        ("bad_signature", stranger.token(&good)),
        ("unknown_key", TestKey::ec("key-2").token(&good)),
        ("expired", clients.key.token(&but(&world, "exp", json!(now_s - 120)))),
        ("not_yet_valid", clients.key.token(&but(&world, "nbf", json!(now_s + 120)))),
        ("wrong_audience", clients.key.token(&but(&world, "aud", json!("//onlineboutique.com/oms")))),
        ("wrong_issuer", clients.key.token(&but(&world, "iss", json!("https://elsewhere.example")))),
        ("malformed_token", clients.key.token(&but(&world, "sub", json!("")))),
        ("malformed_token", "x".repeat(100_000)),
    ];
    for (code, token) in &cases {
        let header = format!("Bearer {token}");
        let answer = world.send_bare("GET", "/v1/catalog", &[("authorization", &header)], "").await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some(*code)));
        assert!(answer.headers.contains_key(WWW_AUTHENTICATE));
        assert!(!answer.text.contains(&token[..20.min(token.len())]), "{}", answer.text);
    }
    let good = clients.key.token(&good);
    let header = format!("Bearer {good}");
    let twice = [("authorization", header.as_str()), ("authorization", header.as_str())];
    assert_eq!(world.send_bare("GET", "/v1/catalog", &twice, "").await.status, 401);
    assert_eq!(world.asked().len(), 0, "no service was asked");
    assert_eq!(world.send_bare("GET", "/v1/orders/o-1", &twice[..1], "").await.status, 404);
    let log = log.text();
    assert!(log.contains("turned away") && log.contains("bad_signature"), "the log is captured");
    let tokens = cases.iter().map(|(_, token)| token).chain([&good]);
    for part in tokens.flat_map(|token| token.split('.')).filter(|part| part.len() > 20) {
        assert!(!log.contains(part), "a part of a token is in the log");
    }
}

#[tokio::test]
async fn a_token_for_several_audiences_with_a_list_of_scopes_is_taken() {
    let world = World::new().await.on("GET food/food?limit=100", 200, json!({}));
    let mut claims = but(&world, "aud", json!(["x", AUDIENCE]));
    claims["scope"] = Value::Null;
    claims["scp"] = json!(["catalog:read"]);
    let header = format!("Bearer {}", world.clients.key.token(&claims));
    assert_eq!(world.send_bare("GET", "/v1/catalog", &[("authorization", &header)], "").await.status, 200);
}
