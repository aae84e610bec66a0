//! One consumer, its dead letters, and ops, which can be killed and built again on the same database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bus::{Bus, Outgoing};
use events::order::{CancellationReason, OrderCancelled};
use events::pubsub::Message;
use events::topology::{self, SUBSCRIPTIONS, limits};
use events::{Envelope, Event};
use ops::{Config, Parts, Progress};
use runtime::config::Environment;
use runtime::{
    Base, Code, Consumer, Doors, Failure, Foundation, Identity, Peer, Publishing, Reaction, Running, Service, clock,
};
use serde_json::{Value, json};
use store::{Database, Migration, Store, StoreError, Tx, params};
use tempfile::TempDir;
use testkit::pubsub::{Backoff, DeadLetterPolicy, SimulatedDoor, SimulatedPubSub, Step, SubscriptionSpec};
use testkit::{Answer, event};

const PROJECT: &str = "test";
pub(crate) const CONSUMER: &str = "accounting";
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sql: "CREATE TABLE effects (order_id TEXT NOT NULL, reason TEXT NOT NULL)",
}];

/// What the consumer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Works,
    /// Every event fails for good.
    Broken,
    /// Events of orders that end in 7 fail for good.
    BrokenFor7,
    /// Every event fails for now.
    Later,
    /// Every event fails for good, and the reason tells more than it should.
    Chatty,
}

struct Tell(Arc<Mutex<Mode>>);

impl Reaction for Tell {
    const NAME: &'static str = "tell";
    type Event = OrderCancelled;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        let order_id = event.data.order_id.as_str();
        let reason = event.data.reason.to_string();
        tx.execute("INSERT INTO effects (order_id, reason) VALUES (?1, ?2)", params![order_id, &reason])?;
        match *self.0.lock().unwrap() {
            Mode::Broken => Err(Failure::permanent(Code::IllegalState, format!("order {order_id} is in no state"))),
            Mode::BrokenFor7 if order_id.ends_with('7') => Err(Failure::permanent(Code::IllegalState, "it is a 7")),
            Mode::Chatty => Err(Failure::permanent(Code::IllegalState, "no letter reaches ada@example.org")),
            Mode::Later => Err(Failure::transient(Code::ChangedMeanwhile, "come again")),
            _ => Ok(Vec::new()),
        }
    }
}

pub(crate) struct World {
    pub(crate) pubsub: Arc<Mutex<SimulatedPubSub>>,
    pub(crate) door: Arc<SimulatedDoor>,
    mode: Arc<Mutex<Mode>>,
    consumer: Option<Running>,
    pub(crate) consumer_peer: Peer,
    address: SocketAddr,
    folder: TempDir,
    config: Config,
    /// The bus ops publishes on.
    pub(crate) bus: Arc<dyn Bus>,
    ops: Option<Parts>,
    now_ms: i64,
}

fn full(kind: &str, name: &str) -> String {
    format!("projects/{PROJECT}/{kind}/{name}")
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub(crate) async fn open_with(settings: &[(&str, &str)]) -> Self {
        let now_ms = clock::now_ms();
        let pubsub = Arc::new(Mutex::new(simulated(now_ms)));
        let door = Arc::new(SimulatedDoor::new(Arc::clone(&pubsub), PROJECT));
        let folder = tempfile::tempdir().unwrap();
        let mode = Arc::new(Mutex::new(Mode::Works));
        let (running, address) = consumer(&folder, &door, &mode, SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        // Nobody listens there: what others say in a timeline is not the matter here.
        for name in ["CHECKOUT", "OMS", "WAREHOUSE", "INVENTORY", "FRAUD_BRIDGE", "CRM", "FURNITURE"] {
            variables.insert(format!("BOUTIQUE_{name}_URL"), "http://127.0.0.1:1".to_owned());
        }
        variables.insert("BOUTIQUE_ACCOUNTING_URL".to_owned(), format!("http://{address}"));
        variables.insert("BOUTIQUE_OPS_PEER_TIMEOUT_MS".to_owned(), "5000".to_owned());
        variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config = Config::from_environment(&Environment::of(variables)).unwrap();
        let consumer_peer = Peer::new(CONSUMER, &format!("http://{address}"), Duration::from_secs(10));
        let bus: Arc<dyn Bus> = Arc::clone(&door) as _;
        let mut world = Self {
            pubsub,
            door,
            mode,
            consumer: Some(running),
            consumer_peer,
            address,
            folder,
            config,
            bus,
            ops: None,
            now_ms,
        };
        world.restart();
        world
    }

    /// Drops ops as it is and builds it anew on its database.
    pub(crate) fn restart(&mut self) {
        self.ops = None;
        let base = Base {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: Database::Sqlite { path: self.database("ops") },
            bus: Arc::clone(&self.bus),
            identity: Identity::open_house(),
        };
        self.ops = Some(ops::parts(&base, &self.config, Arc::clone(&self.door) as _).unwrap());
    }

    fn database(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.db"))
    }

    pub(crate) fn ops(&self) -> &Parts {
        self.ops.as_ref().unwrap()
    }

    pub(crate) fn mode(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub(crate) async fn stop_consumer(&mut self) {
        self.consumer.take().unwrap().stop().await;
    }

    pub(crate) async fn start_consumer(&mut self) {
        let (running, _) = consumer(&self.folder, &self.door, &self.mode, self.address).await;
        self.consumer = Some(running);
    }

    /// Time passes.
    pub(crate) fn pass_ms(&mut self, ms: i64) -> i64 {
        self.now_ms += ms;
        self.now_ms
    }

    /// OMS says that these orders were cancelled.
    pub(crate) async fn say(&self, orders: &[String]) {
        let outgoing = orders.iter().map(|order| {
            let message = Message::from(said(order));
            Outgoing {
                topic: "order-events".to_owned(),
                ordering_key: String::new(),
                attributes: message.attributes,
                data: message.data.into(),
            }
        });
        for answer in self.door.publish(outgoing.collect()).await {
            answer.unwrap();
        }
    }

    /// An event of a confirmed order is given up by Pub/Sub at the consumer, and taken in. Its letter.
    pub(crate) async fn give_up(&mut self, order: &str, data: &Value) -> String {
        let mut attributes = Message::from(said(order)).attributes;
        attributes.insert("ce-type".to_owned(), "com.onlineboutique.order.confirmed.v1".to_owned());
        let letter = Outgoing {
            topic: topology::dead_letters(CONSUMER),
            ordering_key: String::new(),
            attributes,
            data: data.to_string().into_bytes().into(),
        };
        self.door.publish(vec![letter]).await.remove(0).unwrap();
        self.ingest().await;
        let listed = self.get(&format!("/letters?order={order}")).await;
        listed["letters"][0]["letterId"].as_str().unwrap().to_owned()
    }

    /// Lets Pub/Sub deliver until it owes nobody anything.
    pub(crate) async fn pump(&self) {
        loop {
            let step = self.pubsub.lock().unwrap().step();
            let push = match step {
                Step::Idle => return,
                Step::Passed => continue,
                Step::Push(push) => push,
            };
            let message = &push.message.draft;
            let data = BASE64_STANDARD.encode(&message.data);
            let body = json!({ "message": { "attributes": message.attributes, "data": data, "messageId": push.message.id.to_string() } });
            let path_and_body = (axum::http::Method::POST, body.to_string().into_bytes());
            let answer = self.consumer_peer.raw(path_and_body.0, "/", path_and_body.1.into()).await;
            if let Ok((status, _)) = answer {
                self.pubsub.lock().unwrap().answer(push.id, status.as_u16());
            }
        }
    }

    /// Takes every dead letter in. Answers how many messages that were.
    pub(crate) async fn ingest(&mut self) -> usize {
        let mut taken = 0;
        loop {
            let now_ms = self.pass_ms(10);
            match self.ops().ingest.take(CONSUMER, now_ms).await {
                0 => return taken,
                more => taken += more,
            }
        }
    }

    /// These orders' cancellations die at the consumer and are taken in.
    pub(crate) async fn bury(&mut self, orders: &[String]) {
        let before = *self.mode.lock().unwrap();
        self.mode(Mode::Broken);
        self.say(orders).await;
        self.pump().await;
        self.mode(before);
        assert_eq!(self.ingest().await, orders.len());
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = testkit::get(&self.ops().doors.clone().open_house(), path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        testkit::post(&self.ops().doors.clone().open_house(), path, body).await
    }

    /// Plans everything that is open, or what the filter says.
    pub(crate) async fn plan(&self, filter: &Value) -> Value {
        let answer = self.post("/plans", &json!({ "filter": filter, "by": "ada" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body
    }

    /// Plans what is open and replays it.
    pub(crate) async fn replay(&self, with: Value) -> String {
        let plan = self.plan(&json!({ "consumer": CONSUMER })).await;
        let mut order = json!({ "plan": plan["plan"], "by": "ada", "why": "the fix is out", "ratePerSecond": 10_000 });
        order.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let answer = self.post("/replays", &order).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["replayId"].as_str().unwrap().to_owned()
    }

    /// One step of a replay, a second after the last.
    pub(crate) async fn advance(&mut self, replay: &str) -> Progress {
        let now_ms = self.pass_ms(1_000);
        self.ops().replays.advance(replay, now_ms).await.unwrap()
    }

    /// Carries a replay on until it rests, while Pub/Sub delivers.
    pub(crate) async fn run(&mut self, replay: &str) -> Value {
        for _ in 0..10_000 {
            match self.advance(replay).await {
                Progress::Moved => {}
                Progress::Waits => self.pump().await,
                Progress::Rests => return self.get(&format!("/replays/{replay}")).await,
            }
        }
        panic!("the replay does not come to rest");
    }

    /// How often each order had its effect.
    pub(crate) async fn effects(&self) -> BTreeMap<String, i64> {
        let store = Store::open(&Database::Sqlite { path: self.database(CONSUMER) }, MIGRATIONS).unwrap();
        let count = "SELECT order_id, COUNT(*) FROM effects GROUP BY order_id";
        let found = store.read::<_, StoreError>(move |tx| tx.query(count, &[], |row| Ok((row.get(0)?, row.get(1)?))));
        let found = found.await.unwrap();
        store.close().await;
        found.into_iter().collect()
    }

    /// With which reason each order's effect came.
    pub(crate) async fn reasons(&self) -> BTreeMap<String, String> {
        let store = Store::open(&Database::Sqlite { path: self.database(CONSUMER) }, MIGRATIONS).unwrap();
        let all = "SELECT order_id, reason FROM effects";
        let found = store.read::<_, StoreError>(move |tx| tx.query(all, &[], |row| Ok((row.get(0)?, row.get(1)?))));
        let found = found.await.unwrap();
        store.close().await;
        found.into_iter().collect()
    }

    /// Carries a replay on, a second at a time, until it is in `state`. Nothing is delivered meanwhile.
    pub(crate) async fn until(&mut self, replay: &str, state: &str) -> Value {
        for _ in 0..200 {
            let shown = self.get(&format!("/replays/{replay}")).await;
            if shown["state"] == state {
                return shown;
            }
            self.advance(replay).await;
        }
        panic!("the replay does not become {state}");
    }

    /// Letters by state.
    pub(crate) async fn states(&self) -> BTreeMap<String, u64> {
        let mut states = BTreeMap::new();
        for group in self.get("/groups").await["groups"].as_array().unwrap() {
            for (state, count) in group["states"].as_object().unwrap() {
                *states.entry(state.clone()).or_default() += count.as_u64().unwrap();
            }
        }
        states
    }

    pub(crate) async fn letters(&self) -> Vec<Value> {
        self.get("/letters?limit=500").await["letters"].as_array().unwrap().clone()
    }
}

/// `O-1` and so on.
pub(crate) fn orders(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("O-{number}")).collect()
}

/// Each order once.
pub(crate) fn once(orders: &[String]) -> BTreeMap<String, i64> {
    orders.iter().map(|order| (order.clone(), 1)).collect()
}

pub(crate) fn said(order: &str) -> Envelope<events::Encoded> {
    let fact = OrderCancelled { order_id: order.parse().unwrap(), reason: CancellationReason::ByCustomer };
    event(fact).from("oms").at(clock::now_ms() / 1_000_000 * 1_000_000).seal()
}

async fn consumer(
    folder: &TempDir,
    door: &Arc<SimulatedDoor>,
    mode: &Arc<Mutex<Mode>>,
    listen: SocketAddr,
) -> (Running, SocketAddr) {
    let database = Database::Sqlite { path: folder.path().join(format!("{CONSUMER}.db")) };
    let base = Base { listen, database, bus: Arc::clone(door) as _, identity: Identity::open_house() };
    let foundation = Foundation::open(CONSUMER, &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
    let consumer = Consumer::new(CONSUMER).on(Tell(Arc::clone(mode)));
    let running = Service::new(foundation, Doors::new()).consumer(consumer).start(listen).await.unwrap();
    let address = running.address();
    (running, address)
}

/// The topics and subscriptions of one consumer, as the topology has them.
fn simulated(now_ms: i64) -> SimulatedPubSub {
    let mut pubsub = SimulatedPubSub::new(1, u64::try_from(now_ms).unwrap());
    let letters = topology::dead_letters(CONSUMER);
    for topic in ["order-events", &letters] {
        pubsub.create_topic(&full("topics", topic)).unwrap();
    }
    let row = SUBSCRIPTIONS.iter().find(|row| row.name() == format!("order-events.{CONSUMER}")).unwrap();
    let push = SubscriptionSpec {
        name: full("subscriptions", &row.name()),
        topic: full("topics", "order-events"),
        push_endpoint: "http://consumer/".to_owned(),
        ack_deadline_s: 30,
        filter: row.filter(),
        retry: Some(Backoff { min_ms: limits::MIN_BACKOFF_MS, max_ms: limits::MAX_BACKOFF_MS }),
        dead_letter: Some(DeadLetterPolicy {
            topic: full("topics", &letters),
            max_attempts: u16::try_from(limits::MAX_DELIVERY_ATTEMPTS).unwrap(),
        }),
        ..SubscriptionSpec::default()
    };
    pubsub.create_subscription(push).unwrap();
    let pull = SubscriptionSpec {
        name: full("subscriptions", &letters),
        topic: full("topics", &letters),
        ack_deadline_s: 30,
        ..SubscriptionSpec::default()
    };
    pubsub.create_subscription(pull).unwrap();
    pubsub
}
