//! The gateway between stand-ins of its services and of its clients' issuer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gateway::{Config, Gateway, Rate, Services};
use runtime::server::Server;
use runtime::{Identity, clock};
use serde_json::{Value, json};
use testkit::{Issuer, TestKey};
use tower::ServiceExt;

pub(crate) const ID: &str = "0190b8f2-7c1a-7000-8000-000000000001";
pub(crate) const AUDIENCE: &str = "//onlineboutique.com/gateway";
/// All a customer may.
pub(crate) const CUSTOMER: &str = "catalog:read orders:read orders:write";
/// All there is.
const STAFF: &str = "catalog:read orders:read orders:write orders:any metrics:read";
const SERVICES: [&str; 9] =
    ["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "food", "fraud-bridge", "crm"];

/// What a stand-in was sent.
pub(crate) struct Asked {
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// Answers by `METHOD service/path?query`; everything else is 404. Silent services never answer, slow ones after a while.
#[derive(Default)]
struct Script {
    answers: BTreeMap<String, (u16, Value)>,
    silent: Vec<&'static str>,
    slow: BTreeMap<&'static str, Duration>,
    asked: Vec<Asked>,
}

/// Clients' issuer.
pub(crate) struct Clients {
    pub issuer: Issuer,
    pub key: TestKey,
}

pub(crate) struct World {
    pub config: Config,
    pub clients: Clients,
    router: Router,
    script: Arc<Mutex<Script>>,
    _server: Server,
}

pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// `null` for what is no JSON.
    pub body: Value,
}

/// An issuer that a gateway may trust.
pub(crate) async fn trusted() -> (gateway::Issuer, Clients) {
    let key = TestKey::ec("key-1");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let trusted =
        gateway::Issuer { name: issuer.name(), audience: AUDIENCE.to_owned(), jwks: issuer.jwks(), development: None };
    (trusted, Clients { issuer, key })
}

impl Clients {
    /// What a good token says.
    pub fn claims(&self, subject: &str, scope: &str) -> Value {
        let now_s = clock::now_ms() / 1_000;
        json!({ "iss": self.issuer.name(), "aud": AUDIENCE, "sub": subject, "scope": scope, "iat": now_s, "exp": now_s + 600 })
    }

    pub fn token(&self, subject: &str, scope: &str) -> String {
        self.key.token(&self.claims(subject, scope))
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A gateway with other settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stand_ins = Router::new().fallback(stand_in).with_state(Arc::clone(&script));
        let server = Server::start(listener, stand_ins).unwrap();
        let [checkout, oms, accounting, warehouse, inventory, furniture, food, fraud_bridge, crm] =
            SERVICES.map(|service| format!("http://{}/{service}", server.address()));
        let (issuer, clients) = trusted().await;
        let mut config = Config::of(issuer);
        config.services =
            Services { checkout, oms, accounting, warehouse, inventory, furniture, food, fraud_bridge, crm };
        config.rates.address = Rate::new(1_000_000, 1_000_000);
        (config.timeout_ms, config.part_timeout_ms) = (1_000, 500);
        change(&mut config);
        let router = Gateway::new(&config, &Identity::open_house()).unwrap().router();
        Self { config, clients, router, script, _server: server }
    }

    pub fn on(self, line: &str, status: u16, body: Value) -> Self {
        self.say(line, status, body);
        self
    }

    pub fn say(&self, line: &str, status: u16, body: Value) {
        self.script.lock().unwrap().answers.insert(line.to_owned(), (status, body));
    }

    pub fn forget(&self, line: &str) {
        self.script.lock().unwrap().answers.remove(line);
    }

    pub fn silent(self, services: &[&'static str]) -> Self {
        self.script.lock().unwrap().silent.extend(services);
        self
    }

    pub fn slow(self, service: &'static str, wait: Duration) -> Self {
        self.script.lock().unwrap().slow.insert(service, wait);
        self
    }

    /// Another gateway takes the place of this one, which knows nothing of what this one heard.
    pub fn replace_gateway(&mut self) {
        self.router = Gateway::new(&self.config, &Identity::open_house()).unwrap().router();
    }

    /// As a member of staff, who may everything.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_as("staff", STAFF, method, path, headers, body).await
    }

    pub async fn send_as(
        &self,
        subject: &str,
        scope: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let token = format!("Bearer {}", self.clients.token(subject, scope));
        let headers = [&[("authorization", token.as_str())], headers].concat();
        self.send_bare(method, path, &headers, body).await
    }

    /// Without a token, but for what is in `headers`.
    pub async fn send_bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (head, body) = self.open(method, path, headers, body).await.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: head.status.as_u16(), headers: head.headers, text, body }
    }

    /// The answer, whose body is yet to come.
    pub async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn get_as(&self, subject: &str, path: &str) -> Answer {
        self.send_as(subject, CUSTOMER, "GET", path, &[], "").await
    }

    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

async fn stand_in(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    let line = format!("{} {}", head.method, head.uri.to_string().trim_start_matches('/'));
    let service = line.split([' ', '/']).nth(1).unwrap().to_owned();
    let (answer, wait) = {
        let mut script = script.lock().unwrap();
        let answer = script.answers.get(&line).cloned();
        script.asked.push(Asked { line, headers: head.headers, body });
        let wait = script.slow.get(service.as_str()).copied();
        (if script.silent.contains(&service.as_str()) { None } else { Some(answer) }, wait)
    };
    if let Some(wait) = wait {
        tokio::time::sleep(wait).await;
    }
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
