//! Pushes that say who sends them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use google_cloud_googleapis::pubsub::v1 as pb;
use http::Method;
use pb::push_config::{AuthenticationMethod, OidcToken};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::harness::{Endpoint, Push, SUBSCRIPTION, TOPIC, World};

const EMAIL: &str = "oms@p.iam.gserviceaccount.com";

fn signed(endpoint: &Endpoint, audience: &str) -> Option<pb::PushConfig> {
    let token = OidcToken { service_account_email: EMAIL.to_owned(), audience: audience.to_owned() };
    Some(pb::PushConfig { authentication_method: Some(AuthenticationMethod::OidcToken(token)), ..endpoint.config() })
}

fn token(push: &Push) -> String {
    push.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

async fn jwks(world: &World) -> Value {
    let (status, jwks) = world.rest(Method::GET, "/oauth2/v3/certs", "").await;
    assert_eq!(status, 200, "{jwks}");
    jwks
}

/// Header and claims of a token that one of these keys signed.
fn verified(token: &str, jwks: &Value) -> Option<(Value, Value)> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let (said, signature) = token.rsplit_once('.')?;
    let (header, claims) = said.split_once('.')?;
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let key = jwks["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    let (n, e) = (decode(key["n"].as_str()?)?, decode(key["e"].as_str()?)?);
    assert_eq!(n.len(), 256);
    let public = RsaPublicKeyComponents { n, e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, said.as_bytes(), &decode(signature)?).ok()?;
    Some((header, serde_json::from_slice(&decode(claims)?).ok()?))
}

#[tokio::test]
async fn a_push_carries_a_token_that_the_published_key_verifies() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = signed(&endpoint, "")).await;
    world.say(&["a", "b"]).await;

    let (first, second) = (endpoint.next().await, endpoint.next().await);

    assert_eq!(token(&first), token(&second), "a token is used as long as it is good");
    let jwks = jwks(&world).await;
    let (_, claims) = verified(&token(&first), &jwks).unwrap();
    let issuer = format!("http://{}", world.broker.as_ref().unwrap().address());
    assert_eq!(claims["iss"], issuer.as_str());
    assert_eq!(claims["aud"], endpoint.url.as_str(), "the endpoint, as no audience is given");
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(EMAIL), &json!(true)));
    assert_eq!(claims["azp"], claims["sub"]);
    assert_eq!(claims["sub"].as_str().unwrap().len(), 21);
    let (from_s, until_s) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert_eq!(until_s - from_s, 3600);
    let published: jiff::Timestamp = first.body["message"]["publishTime"].as_str().unwrap().parse().unwrap();
    assert!((from_s - published.as_second()).abs() < 60, "issued now");

    let (status, discovery) = world.rest(Method::GET, "/.well-known/openid-configuration", "").await;
    assert_eq!((status, &discovery["issuer"]), (200, &json!(issuer)));
    assert_eq!(discovery["jwks_uri"], format!("{issuer}/oauth2/v3/certs"));
    assert_eq!(discovery["id_token_signing_alg_values_supported"], json!(["RS256"]));
}

#[tokio::test]
async fn a_token_that_was_changed_does_not_verify() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = signed(&endpoint, "oms")).await;
    world.say(&["a"]).await;
    let good = token(&endpoint.next().await);
    let jwks = jwks(&world).await;
    let (_, mut claims) = verified(&good, &jwks).unwrap();
    assert_eq!(claims["aud"], "oms");
    claims["email"] = json!("admin@p.iam.gserviceaccount.com");
    let parts: Vec<&str> = good.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    assert_eq!(verified(&forged, &jwks), None);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(verified(&unsigned, &jwks), None);
}

#[tokio::test]
async fn the_key_is_made_when_asked_for_and_outlives_the_broker() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["a"]).await;
    let push = endpoint.next().await;
    assert!(!push.headers.contains_key("authorization"));
    push.answer(204);
    world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert!(!world.data().join("identity.der").exists(), "nobody asked for it");

    let before = jwks(&world).await;
    world.crash().await;
    assert_eq!(jwks(&world).await, before);
    let request =
        pb::ModifyPushConfigRequest { subscription: SUBSCRIPTION.to_owned(), push_config: signed(&endpoint, "oms") };
    world.subscriber.modify_push_config(request).await.unwrap();
    world.say(&["b"]).await;
    assert!(verified(&token(&endpoint.next().await), &before).is_some());
}

#[tokio::test]
async fn the_issuer_can_be_set() {
    let mut world = World::with(|settings| settings.issuer = Some("https://broker.example".to_owned())).await;
    world.topic(TOPIC).await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = signed(&endpoint, "")).await;
    world.say(&["a"]).await;
    let (_, claims) = verified(&token(&endpoint.next().await), &jwks(&world).await).unwrap();
    assert_eq!(claims["iss"], "https://broker.example");
    let (_, discovery) = world.rest(Method::GET, "/.well-known/openid-configuration", "").await;
    assert_eq!(discovery["jwks_uri"], "https://broker.example/oauth2/v3/certs");
}

#[tokio::test]
async fn without_a_key_pushes_wait_and_nothing_else_does() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    std::fs::write(world.data().join("identity.der"), "no key").unwrap();
    world.subscription(|s| s.push_config = signed(&endpoint, "")).await;
    world.say(&["a"]).await;
    let (status, error) = world.rest(Method::GET, "/oauth2/v3/certs", "").await;
    assert_eq!((status, &error["error"]["status"]), (503, &json!("UNAVAILABLE")));
    assert!(!error.to_string().contains("no key"));
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 1).await;
    assert_eq!((figures.delivered, figures.nacked), (0, 0), "no attempt counts");
    std::fs::remove_file(world.data().join("identity.der")).unwrap();
    assert!(verified(&token(&endpoint.next().await), &jwks(&world).await).is_some());
}
