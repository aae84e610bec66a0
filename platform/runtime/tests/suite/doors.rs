//! Who comes through a consumer's push door and through a REST door, and who does not. Nobody's token is in the log.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use runtime::config::Environment;
use runtime::doors::Callers;
use runtime::simulation::{self, Inside, World};
use runtime::{Base, CallError, Caller, Consumer, Door, Doors, Foundation, Identity, Publishing, Service};
use serde_json::{Value, json};
use store::Database;
use tempfile::TempDir;
use testkit::{Issuer, Mood, SimulatedBus, T0, TestKey};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use crate::fixture::{Invoice, MIGRATIONS};

const DOMAIN: &str = "shop.iam.gserviceaccount.com";
const AUDIENCE: &str = "//onlineboutique.com/accounting";
const PUSH_ACCOUNT: &str = "pubsub-push@shop.iam.gserviceaccount.com";
const OPERATOR: &str = "operator@shop.iam.gserviceaccount.com";
/// Longer than the pause between two fetches of keys.
const A_WHILE_MS: i64 = 60_000;

/// A clock that is set by hand.
struct Hands(Cell<i64>);

impl World for Hands {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    fn instant(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "nobody measures here")]
        Instant::now()
    }

    fn random(&self) -> u128 {
        4
    }
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// A consumer with doors, its issuer, and everything that is logged meanwhile.
struct House {
    issuer: Issuer,
    key: TestKey,
    router: Router,
    hands: Rc<Hands>,
    log: Log,
    _logging: tracing::subscriber::DefaultGuard,
    _inside: Inside,
    _folder: TempDir,
}

/// The two doors that are tried, and who may come through them.
const PUSH: (Method, &str, &str) = (Method::POST, "/", PUSH_ACCOUNT);
const REST: (Method, &str, &str) = (Method::GET, "/attempts?orderId=o-1", OPERATOR);

impl House {
    async fn new(key: TestKey) -> Self {
        let issuer = Issuer::new(vec![key.jwk()]).await;
        Self::with(key, issuer)
    }

    fn with(key: TestKey, issuer: Issuer) -> Self {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        let logging = tracing::subscriber::set_default(subscriber.finish());
        let hands = Rc::new(Hands(Cell::new(T0)));
        let inside = simulation::enter(Rc::clone(&hands) as _);
        let folder = tempfile::tempdir().unwrap();
        let router = service(&folder, identity(&issuer)).open().router().clone();
        Self { issuer, key, router, hands, log, _logging: logging, _inside: inside, _folder: folder }
    }

    fn now_s(&self) -> i64 {
        self.hands.0.get() / 1_000
    }

    fn pass_ms(&self, ms: i64) {
        self.hands.0.set(self.hands.0.get() + ms);
    }

    /// What a good token of `email` says, with other members.
    fn claims(&self, email: &str, members: &Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer.name(), "aud": AUDIENCE, "sub": "1", "iat": self.now_s(), "exp": self.now_s() + 3_600,
            "email": email, "email_verified": true,
        });
        for (name, value) in members.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn token(&self, email: &str) -> String {
        self.key.token(&self.claims(email, &json!({})))
    }

    /// Knocks with these headers.
    async fn knock(&self, door: &(Method, &str, &str), tokens: &[&str]) -> axum::response::Response {
        let mut request = Request::builder().method(door.0.clone()).uri(door.1);
        for token in tokens {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if door.0 == Method::POST { Body::from(wrapped().to_string()) } else { Body::empty() };
        self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
    }

    /// Nobody comes in with these headers, is told why in one word, and what they brought is not logged.
    async fn refuses(&self, door: &(Method, &str, &str), tokens: &[&str], status: u16, code: &str) {
        let answer = self.knock(door, tokens).await;
        let what = format!("{} {} with {code}", door.0, door.1);
        assert_eq!(answer.status().as_u16(), status, "{what}");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json", "{what}");
        assert!(answer.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"), "{what}");
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], code, "{what}");
        self.assert_secret(tokens);
        for token in tokens.iter().filter(|token| !token.is_empty()) {
            assert!(!String::from_utf8_lossy(&body).contains(token), "{what}");
        }
    }

    /// Neither a token nor a part of one is in the log, and the log is not empty.
    fn assert_secret(&self, tokens: &[&str]) {
        let log = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("turned away"), "the log is captured");
        for part in tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 20) {
            assert!(!log.contains(part), "a part of a token is in the log");
        }
        assert!(!log.contains(OPERATOR), "an email is in the log");
    }

    async fn admits(&self, door: &(Method, &str, &str), token: &str) {
        let status = self.knock(door, &[token]).await.status();
        assert!(status.is_success(), "{} {}: {status}", door.0, door.1);
    }
}

fn identity(issuer: &Issuer) -> Identity {
    let settings = [
        ("BOUTIQUE_PUSH_ISSUER", issuer.name()),
        ("BOUTIQUE_PUSH_JWKS", issuer.jwks()),
        ("BOUTIQUE_CALLER_ISSUER", issuer.name()),
        ("BOUTIQUE_CALLER_JWKS", issuer.jwks()),
        ("BOUTIQUE_CALLER_DOMAIN", DOMAIN.to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Identity::from_environment("accounting", &Environment::of(settings), "127.0.0.1:0".parse().unwrap()).unwrap()
}

fn service(folder: &TempDir, identity: Identity) -> Service {
    let base = Base {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: Database::Sqlite { path: folder.path().join("accounting.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity,
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::AfterAnswer).unwrap();
    Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on(Invoice))
}

/// A push that is for nobody here: what matters is whether it is looked at.
fn wrapped() -> Value {
    json!({ "message": { "attributes": {}, "data": "", "messageId": "1" }, "subscription": "s" })
}

fn keys() -> [TestKey; 2] {
    [TestKey::rsa("k"), TestKey::ec("k")]
}

#[tokio::test]
async fn who_is_meant_comes_in_and_a_forged_token_does_not() {
    for key in keys() {
        let house = House::new(key).await;
        for door in [PUSH, REST] {
            let email = door.2;
            let good = house.claims(email, &json!({}));
            let genuine = house.key.token(&good);
            house.refuses(&door, &[], 401, "missing_token").await;
            house.admits(&door, &genuine).await;
            let unsigned = TestKey::unsigned_token(&good);
            house.refuses(&door, &[&unsigned], 401, "wrong_algorithm").await;
            house.refuses(&door, &[&house.key.hmac_token(&good)], 401, "wrong_algorithm").await;
            let other = if house.key.algorithm() == "RS256" { TestKey::other_rsa("k") } else { TestKey::ec("k") };
            house.refuses(&door, &[&other.token(&good)], 401, "bad_signature").await;
            house.refuses(&door, &[&TestKey::ec("unknown").token(&good)], 401, "unknown_key").await;
            house.refuses(&door, &[&genuine, &genuine], 401, "malformed_token").await;
            house.refuses(&door, &[&genuine, &unsigned], 401, "malformed_token").await;
            let huge = format!("{}.{}", genuine.rsplit_once('.').unwrap().0, "A".repeat(100 * 1024));
            house.refuses(&door, &[&huge], 401, "malformed_token").await;
            house.admits(&door, &genuine).await;
        }
    }
}

#[tokio::test]
async fn a_token_that_says_something_else_does_not_open() {
    let house = House::new(TestKey::ec("k")).await;
    let now_s = house.now_s();
    for door in [PUSH, REST] {
        let wrong = [
            (json!({ "exp": now_s - 60 }), 401, "expired"),
            (json!({ "nbf": now_s + 61 }), 401, "not_yet_valid"),
            (json!({ "aud": "//onlineboutique.com/oms" }), 401, "wrong_audience"),
            (json!({ "iss": "https://accounts.google.com" }), 401, "wrong_issuer"),
            (json!({ "exp": now_s + 1_000_000 }), 401, "too_long"),
            (json!({ "email_verified": false }), 401, "unverified_email"),
            (json!({ "email_verified": "true" }), 401, "unverified_email"),
            (json!({ "email": "operator@evil.iam.gserviceaccount.com" }), 403, "wrong_account"),
            (json!({ "email": null }), 403, "wrong_account"),
        ];
        for (members, status, code) in wrong {
            let token = house.key.token(&house.claims(door.2, &members));
            house.refuses(&door, &[&token], status, code).await;
        }
    }
}

#[tokio::test]
async fn one_door_is_not_another() {
    let house = House::new(TestKey::ec("k")).await;
    // Who may call may not push, who may push may not call.
    house.refuses(&PUSH, &[&house.token(OPERATOR)], 403, "wrong_account").await;
    house.refuses(&REST, &[&house.token(PUSH_ACCOUNT)], 403, "not_allowed").await;
    // Known, and not on this list; unknown.
    house.refuses(&REST, &[&house.token(&format!("checkout@{DOMAIN}"))], 403, "not_allowed").await;
    house.refuses(&REST, &[&house.token(&format!("nobody@{DOMAIN}"))], 403, "not_allowed").await;
    for open in ["/health", "/ready"] {
        assert_eq!(house.knock(&(Method::GET, open, ""), &[]).await.status(), StatusCode::OK);
    }
    assert_eq!(house.knock(&(Method::GET, "/no-door", ""), &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_rotated_key_opens_no_door_and_the_new_one_does() {
    let house = House::new(TestKey::ec("old")).await;
    let new = TestKey::rsa("new");
    for door in [&PUSH, &REST] {
        house.admits(door, &house.token(door.2)).await;
    }
    house.issuer.publish(vec![new.jwk()]);
    house.pass_ms(A_WHILE_MS);
    for door in [PUSH, REST] {
        house.admits(&door, &new.token(&house.claims(door.2, &json!({})))).await;
        house.refuses(&door, &[&house.token(door.2)], 401, "unknown_key").await;
    }
}

#[tokio::test]
async fn keys_that_were_had_outlive_their_issuer_and_without_any_nobody_comes_in() {
    let house = House::new(TestKey::ec("k")).await;
    for door in [&PUSH, &REST] {
        house.admits(door, &house.token(door.2)).await;
    }
    house.issuer.be(Mood::Down);
    house.pass_ms(2 * 60 * 60 * 1_000);
    for door in [PUSH, REST] {
        house.admits(&door, &house.token(door.2)).await;
        let forged = TestKey::ec("k").token(&house.claims(door.2, &json!({})));
        house.refuses(&door, &[&forged], 401, "bad_signature").await;
    }
    drop(house);

    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    issuer.be(Mood::Down);
    let house = House::with(key, issuer);
    for door in [PUSH, REST] {
        house.refuses(&door, &[&house.token(door.2)], 401, "keys_unavailable").await;
    }
}

#[tokio::test]
async fn a_key_that_is_for_something_else_opens_no_door() {
    for members in [json!({ "use": "enc" }), json!({ "use": null, "key_ops": ["encrypt"] })] {
        let key = TestKey::rsa("k");
        let issuer = Issuer::new(vec![key.jwk_with(&members)]).await;
        let house = House::with(key, issuer);
        for door in [PUSH, REST] {
            house.refuses(&door, &[&house.token(door.2)], 401, "unknown_key").await;
        }
    }
}

#[tokio::test]
async fn a_caller_is_turned_away_before_its_body_is_read() {
    let house = House::new(TestKey::ec("k")).await;
    let endless = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let request = Request::builder().method(Method::POST).uri("/").body(endless).unwrap();
    let answer = house.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers()[WWW_AUTHENTICATE], HeaderValue::from_static("Bearer"));
}

#[tokio::test]
async fn every_door_has_its_callers() {
    let folder = tempfile::tempdir().unwrap();
    let listed = service(&folder, Identity::open_house()).list();
    let open: Vec<&str> = listed.iter().filter(|door| door.callers == Callers::Anyone).map(|door| door.path).collect();
    assert_eq!(open, ["/health", "/ready"]);
    let pushed: Vec<&str> =
        listed.iter().filter(|door| door.callers == Callers::PubSub).map(|door| door.path).collect();
    assert_eq!(pushed, ["/"]);
    for door in listed {
        assert!(!door.summary.is_empty(), "{} says what it is for", door.path);
        assert!(door.callers != Callers::These(&[]), "{} is for nobody", door.path);
    }
}

#[tokio::test]
async fn a_peer_that_turns_us_away_is_neither_a_refusal_nor_asked_again() {
    let door = Door::of("Says hello").to(&[Caller::Operator]);
    let issuer = Issuer::new(Vec::new()).await;
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: Database::Sqlite { path: folder.path().join("accounting.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: identity(&issuer),
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::AfterAnswer).unwrap();
    let doors = Doors::new().get("/hello", || async { "\"hello\"" }, door);
    let running = Service::new(foundation, doors).start(base.listen).await.unwrap();
    let url = format!("http://{}", running.address());
    let peer = runtime::Peer::new("accounting", &url, Duration::from_secs(10));
    let error = peer.get::<Value>("/hello").await.unwrap_err();
    assert!(matches!(&error, CallError::TurnedAway { .. }), "{error}");
    assert_eq!(error.status(), Some(401));
    let failure = runtime::Failure::from(error);
    assert!(matches!(failure, runtime::Failure::Transient { .. }), "keys and lists are mended while an event waits");
    running.stop().await;
}
