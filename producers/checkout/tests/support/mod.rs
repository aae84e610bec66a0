//! Checkout between stand-ins of its edges, a real database and a bus that remembers.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a stand-in that is not asked what it expects ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use checkout::{Config, MIGRATIONS};
use events::pubsub::Message;
use events::{Encoded, Envelope, Fact, Money};
use runtime::server::Server;
use runtime::{Identity, Metrics, Problem, Publisher, Publishing, Transactor};
use serde_json::{Value, json};
use store::{Database, Gate, HeldDatabase, Store, outbox};
use tempfile::TempDir;
use testkit::SimulatedBus;
use tower::ServiceExt;

/// How an edge misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Answers 500.
    Broken,
    /// Never answers.
    Silent,
    /// Answers 200 with something that is not its contract.
    Garbled,
    /// Breaks when units are to be held, works otherwise.
    CannotHold,
    /// Holds the units and loses the answer.
    LosesHold,
    /// Answers 429.
    Busy,
    /// Answers 200 with more than anybody wants to read.
    Huge,
}

/// What the stand-ins know and were asked.
#[derive(Default)]
pub struct Edges {
    pub customers: BTreeMap<String, Value>,
    /// Price in cents and units, by product.
    pub stock: BTreeMap<String, (i64, u32)>,
    pub menu: BTreeMap<String, Value>,
    pub faults: BTreeMap<&'static str, Fault>,
    /// Faults of edges that only show when units are to be held.
    pub faults_while_holding: BTreeMap<&'static str, Fault>,
    pub risk: &'static str,
    /// Open holds by reservation id: ledger and lines.
    pub holds: BTreeMap<String, (String, Value)>,
    pub released: BTreeSet<String>,
    /// Bodies the fraud engine was given.
    pub scored: Vec<Value>,
    /// `METHOD edge/path`, in order.
    pub calls: Vec<String>,
    /// Answers holds with this deadline instead of the one asked for.
    pub lapses_at: Option<String>,
}

pub type Shared = Arc<Mutex<Edges>>;

pub struct Shop {
    pub router: Router,
    pub transactor: Transactor,
    pub bus: Arc<SimulatedBus>,
    pub edges: Shared,
    pub config: Config,
    pub metrics: Metrics,
    _folder: TempDir,
    _server: Server,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shop {
    /// A shop with stock, menu and customers.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The same with some settings of its own.
    pub async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::Sqlite { path: folder.path().join("checkout.db") };
        Self::open_on(database, folder, change).await
    }

    /// The same on a database in memory, whose ways out lead through `gate`.
    pub async fn open_behind(gate: Arc<dyn Gate>) -> Self {
        let database = HeldDatabase::new().expect("memory").through(gate);
        Self::open_on(database, tempfile::tempdir().expect("a folder"), |_| {}).await
    }

    async fn open_on(database: Database, folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let edges = Arc::new(Mutex::new(stocked()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Server::start(listener, stand_ins(Arc::clone(&edges))).expect("an address");
        let url = |edge: &str| format!("http://{}/{edge}", server.address());
        let mut config = Config {
            crm_url: url("crm"),
            fraud_engine_url: url("fraud-engine"),
            inventory_url: url("inventory"),
            furniture_url: url("furniture"),
            food_url: url("food"),
            edge_timeout_ms: 400,
            edge_try_timeout_ms: 400,
            fraud_timeout_ms: 200,
            ..Config::default()
        };
        change(&mut config);
        let store = Store::open(&database, MIGRATIONS).expect("a fresh database");
        let bus = Arc::new(SimulatedBus::default());
        let publisher = Publisher::new("checkout", store.clone(), Arc::clone(&bus) as _, Publishing::WithinRequest);
        let transactor = Transactor::new("checkout", store, publisher);
        let metrics = Metrics::new("checkout");
        let doors = checkout::doors(transactor.clone(), &config, &Identity::open_house(), &metrics);
        Self { router: doors.open_house(), transactor, bus, edges, config, metrics, _folder: folder, _server: server }
    }

    pub fn edges(&self) -> MutexGuard<'_, Edges> {
        self.edges.lock().unwrap()
    }

    pub fn fault(&self, edge: &'static str, fault: Fault) {
        self.edges().faults.insert(edge, fault);
    }

    pub async fn place(&self, order: &Value) -> Answer {
        self.send(order.to_string(), &[]).await
    }

    pub async fn place_as(&self, key: &str, order: &Value) -> Answer {
        self.send(order.to_string(), &[("idempotency-key", key)]).await
    }

    pub async fn send(&self, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method("POST").uri("/orders");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// What was published; every message is read back as the fact it claims to be.
    pub fn said(&self) -> Vec<Envelope<Encoded>> {
        let taken = self.bus.taken().into_iter();
        taken
            .map(|out| {
                let message = Message { attributes: out.attributes, data: out.data.to_vec() };
                let envelope = Envelope::try_from(message).expect("an envelope");
                assert_fact(&envelope);
                envelope
            })
            .collect()
    }

    /// The short types of what was published.
    pub fn said_types(&self) -> Vec<String> {
        let short = |envelope: Envelope<Encoded>| envelope.event_type.replace("com.onlineboutique.", "");
        self.said().into_iter().map(short).collect()
    }

    pub async fn unsent(&self) -> i64 {
        self.transactor.store().read(outbox::unsent_count).await.unwrap()
    }

    /// Units held in all ledgers together.
    pub fn held(&self) -> u64 {
        let edges = self.edges();
        let lines = edges.holds.values().flat_map(|(_, lines)| lines.as_array().unwrap().clone());
        lines.map(|line| line["quantity"].as_u64().unwrap()).sum()
    }
}

fn assert_fact(envelope: &Envelope<Encoded>) {
    use events::{billing, inventory, order};
    fn decodes<F: Fact>(envelope: &Envelope<Encoded>) {
        envelope.clone().decode::<F>().expect("what is said is within its bounds");
    }
    match envelope.event_type.as_str() {
        order::OrderConfirmed::TYPE => decodes::<order::OrderConfirmed>(envelope),
        order::OrderRejected::TYPE => decodes::<order::OrderRejected>(envelope),
        inventory::StockReserved::TYPE => decodes::<inventory::StockReserved>(envelope),
        billing::InvoiceRequested::TYPE => decodes::<billing::InvoiceRequested>(envelope),
        other => panic!("checkout does not say {other}"),
    }
}

async fn answer(response: Response) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

/// Lets others work until `done`.
pub async fn until(done: impl Fn() -> bool) {
    let patience = std::time::Duration::from_secs(10);
    let waiting = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(patience, waiting).await.expect("it happens within ten seconds");
}

/// What the CRM calls every customer.
pub const SEALED: &str = "S.00112233445566778899aabbccddeeff";

/// An order of `lines` by John Doe.
pub fn order(lines: &[(&str, u32)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(id, quantity)| json!({ "productId": id, "quantity": quantity })).collect();
    json!({ "customerId": "john-doe", "lines": lines, "shippingCountry": "US" })
}

fn stocked() -> Edges {
    let customer = |tier: &str, standing: &str| {
        json!({ "customerId": "x", "sealedId": SEALED, "name": "N", "surname": "S", "country": "US",
        "loyaltyTier": tier, "standing": standing, "completedOrders": 3 })
    };
    Edges {
        customers: BTreeMap::from([
            ("john-doe".to_owned(), customer("standard", "good")),
            ("silver".to_owned(), customer("silver", "good")),
            ("gold".to_owned(), customer("gold", "good")),
            ("suspended".to_owned(), customer("gold", "suspended")),
        ]),
        stock: BTreeMap::from([
            ("OLJCESPC7Z".to_owned(), (6_799, 42)),
            ("66VCHSJNUP".to_owned(), (1_249, 3)),
            ("FOOD-1".to_owned(), (1, 50)),
            ("FOOD-2".to_owned(), (1, 50)),
            ("FURN-1".to_owned(), (29_999, 20)),
        ]),
        menu: BTreeMap::from([
            ("1".to_owned(), json!({ "id": 1, "name": "Pizza Margherita", "price": 12.99, "available": true })),
            ("2".to_owned(), json!({ "id": 2, "name": "Caesar Salad", "price": 8.99, "available": false })),
        ]),
        risk: "LOW",
        ..Edges::default()
    }
}

fn stand_ins(edges: Shared) -> Router {
    Router::new()
        .route("/crm/customers/{id}", get(customer))
        .route("/fraud-engine/metrics", post(score))
        .route("/food/food/{id}", get(dish))
        .route("/{ledger}/inventory", get(stock))
        .route("/{ledger}/reservations", post(hold))
        .route("/{ledger}/reservations/{id}", delete(release))
        .layer(from_fn_with_state(Arc::clone(&edges), misbehave))
        .with_state(edges)
}

async fn misbehave(State(edges): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let holding = path.ends_with("/reservations");
    let fault = {
        let mut edges = edges.lock().unwrap();
        edges.calls.push(format!("{} {path}", request.method()));
        let edge = path.split('/').next().unwrap_or_default();
        let holding = edges.faults_while_holding.get(edge).filter(|_| holding);
        edges.faults.get(edge).or(holding).copied()
    };
    match fault {
        Some(Fault::Busy) => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Some(Fault::Huge) => Json(" ".repeat(5 * 1024 * 1024)).into_response(),
        Some(Fault::Broken) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Garbled) => Json(json!(["what?"])).into_response(),
        Some(Fault::CannotHold) if holding => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::LosesHold) if holding => {
            next.run(request).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        _ => next.run(request).await,
    }
}

async fn customer(State(edges): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    edges.lock().unwrap().customers.get(&id).cloned().map(Json).ok_or_else(|| Problem::not_found("customer"))
}

async fn dish(State(edges): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    edges.lock().unwrap().menu.get(&id).cloned().map(Json).ok_or_else(|| Problem::not_found("dish"))
}

async fn score(State(edges): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut edges = edges.lock().unwrap();
    edges.scored.push(body);
    (StatusCode::CREATED, Json(json!({ "riskScore": edges.risk, "riskPoints": 0, "reasons": [] })))
}

async fn stock(
    State(edges): State<Shared>,
    Path(_): Path<String>,
    query: Query<BTreeMap<String, String>>,
) -> Json<Value> {
    let edges = edges.lock().unwrap();
    let item = |id: &str| {
        let (minor, available) = edges.stock.get(id)?;
        Some(json!({ "productId": id, "unitPrice": Money::from_minor(*minor), "available": available, "name": "n" }))
    };
    let data: Vec<Value> = query["ids"].split(',').filter_map(item).collect();
    Json(json!({ "total": data.len(), "data": data }))
}

async fn hold(
    State(edges): State<Shared>,
    Path(ledger): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = body["reservationId"].as_str().unwrap().to_owned();
    let mut edges = edges.lock().unwrap();
    if edges.released.contains(&id) {
        return Err(Problem::conflict("reservation_released", "the hold was released, make another"));
    }
    if !edges.holds.contains_key(&id) {
        for (index, line) in body["lines"].as_array().unwrap().iter().enumerate() {
            let (_, available) = edges.stock[line["productId"].as_str().unwrap()];
            let wanted = line["quantity"].as_u64().unwrap();
            if wanted > u64::from(available) || edges.lapses_at.as_deref() == Some("never held") {
                let mut problem = Problem::conflict("out_of_stock", "not enough");
                let field = events::FieldError::new(format!("lines[{index}]"), format!("wanted {wanted}, available 0"));
                problem.errors.extend(Problem::from(field).errors);
                return Err(problem);
            }
        }
        edges.holds.insert(id.clone(), (ledger, body["lines"].clone()));
    }
    let expires_at = edges.lapses_at.take().map_or_else(|| body["expiresAt"].clone(), Value::from);
    Ok((StatusCode::CREATED, Json(json!({ "reservationId": id, "orderId": body["orderId"], "expiresAt": expires_at }))))
}

async fn release(State(edges): State<Shared>, Path((_, id)): Path<(String, String)>) -> StatusCode {
    let mut edges = edges.lock().unwrap();
    edges.holds.remove(&id);
    edges.released.insert(id);
    StatusCode::NO_CONTENT
}
