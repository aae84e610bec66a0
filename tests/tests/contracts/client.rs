//! A caller of one service, with a token of its own. Whatever it is answered is held against the service's own description.

use std::collections::BTreeSet;
use std::time::Duration;

use boutique_tests::Shop;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use identity::{DevelopmentKey, Signer, development};
use runtime::doors::{LOCAL_DOMAIN, audience};
use runtime::{CallError, Caller, Peer, clock};
use serde_json::{Value, json};

use crate::description::Description;

/// How long a service may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls one service in somebody's name.
pub struct Client {
    peer: Peer,
    token: HeaderValue,
    description: Description,
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `null` for none.
    pub body: Value,
}

impl Client {
    /// The operator at `service`.
    pub async fn of(shop: &Shop, service: &'static str) -> Self {
        Self::named(shop, Caller::Operator, service).await
    }

    /// `caller` at `service`.
    pub async fn named(shop: &Shop, caller: Caller, service: &'static str) -> Self {
        let document = shop.patient_peer(service, PATIENCE).get("/openapi.json").await.expect("its description");
        let key = DevelopmentKey::open(&development::key_path(&shop.keys())).expect("the shop's key");
        let signer = Signer::of_development(key, format!("{caller}@{LOCAL_DOMAIN}"));
        let token = signer.authorization(&audience(service), clock::now_ms() / 1_000).await.expect("a token");
        Self { peer: Peer::new(service, &shop.url(service), PATIENCE), token, description: Description(document) }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// `POST path`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body.to_string())).await
    }

    /// `PUT path`.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body.to_string())).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// A body as it stands.
    pub async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        self.ask(method, path, Some(body.to_owned())).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, self.token.clone())]);
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let what = format!("{method} {path}");
        let answer = self.peer.forward(method.clone(), path, headers, body.map(Bytes::from).unwrap_or_default()).await;
        let answer = match answer {
            Ok(reply) => {
                let body = if reply.body.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_slice(&reply.body).expect("JSON")
                };
                Answer { status: reply.status.as_u16(), headers: reply.headers, body }
            }
            Err(CallError::TurnedAway { problem, .. }) => {
                Answer { status: problem.status, headers: HeaderMap::new(), body: json!({ "code": problem.code }) }
            }
            Err(error) => panic!("{what}: {error}"),
        };
        self.description.check(&method, path, &answer);
        answer
    }
}

impl Answer {
    /// The body of an answer with `status`, which is JSON.
    pub fn told(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers[CONTENT_TYPE], "application/json", "{}", self.body);
        self.body
    }

    /// Refused with `status` by a problem of `code`.
    pub fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{}", self.body);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json", "{}", self.body);
        assert_eq!(self.body["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(self.body[field].is_string(), "{field} in {}", self.body);
        }
    }

    /// Refused with 400 for one field.
    pub fn at_fault(self, field: &str) {
        let errors = self.body["errors"].clone();
        self.refused(400, "invalid_field");
        assert_eq!(errors[0]["path"], field, "{errors}");
    }
}

/// That an object has these members and no others.
pub fn has_exactly(object: &Value, members: &[&str]) {
    let found: BTreeSet<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(found, members.iter().copied().collect(), "{object}");
}

/// That a text is a time, RFC 3339, of the last minutes.
pub fn is_now(text: &Value) {
    let time: events::Timestamp = text.as_str().expect("a text").parse().expect("a time");
    assert!((clock::now_ms() - time.as_millisecond()).abs() < 600_000, "{text}");
}
