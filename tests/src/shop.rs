//! A shop of its own for one test: the broker and every service on free ports, each of which can be stopped and started again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use bus::{Address, Bus, PubSub};
use events::topology;
use identity::DevelopmentKey;
use runtime::config::Environment;
use runtime::doors::{Listed, clients_of_this_machine, on_this_machine, push_to};
use runtime::{Base, Identity, Peer, Running, Service, StartError};
use serde_json::{Value, json};
use store::Database;
use tempfile::TempDir;
use testkit::Relay;

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the client of an order waits: longer than checkout may take with any setting of a test, so that an order that is too slow is
/// measured, and not given up.
const LONGEST_ORDER: Duration = Duration::from_secs(30);
/// How often it looks.
const PERIOD: Duration = Duration::from_millis(20);

/// What every test's shop is told: no delays, timeouts that a busy machine does not meet, and an address that may ask as much as it likes.
const SETTINGS: [(&str, &str); 7] = [
    // Bytes that count up, for nobody's data.
    (crm::PERSONAL_KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("BOUTIQUE_DISPATCH_DELAY_MS", "0"),
    ("BOUTIQUE_DELIVER_DELAY_MS", "0"),
    ("BOUTIQUE_FRAUD_TIMEOUT_MS", "5000"),
    ("BOUTIQUE_EDGE_TIMEOUT_MS", "5000"),
    // All of a test's clients are on this machine.
    ("BOUTIQUE_RATE_ADDRESS_PER_S", "100000"),
    ("BOUTIQUE_RATE_ADDRESS_BURST", "100000"),
];

/// The folder of the development key.
const KEYS: &str = "identity";

/// Assembles one service from its environment.
type Assemble = fn(&Base, &Environment) -> Result<Service, StartError>;

/// A part of the shop and how it is assembled.
#[derive(Clone, Copy)]
struct Part {
    /// The service's name.
    pub name: &'static str,
    assemble: Assemble,
}

macro_rules! part {
    ($krate:ident) => {
        Part {
            name: $krate::NAME,
            assemble: |base, environment| {
                let config = $krate::Config::from_environment(environment).expect("the test's environment is complete");
                $krate::service(base, config)
            },
        }
    };
}

/// Those who are asked come before those who ask.
fn parts() -> [Part; 11] {
    [
        part!(crm),
        part!(inventory),
        part!(furniture),
        part!(food),
        part!(fraud_engine),
        part!(warehouse),
        part!(oms),
        part!(accounting),
        part!(fraud_bridge),
        part!(checkout),
        part!(scheduler),
    ]
}

/// A running shop.
pub struct Shop {
    folder: TempDir,
    broker: Option<Broker>,
    bus: Arc<dyn Bus>,
    pubsub: Arc<PubSub>,
    environment: BTreeMap<String, String>,
    addresses: BTreeMap<&'static str, SocketAddr>,
    running: BTreeMap<&'static str, Running>,
    gateway: gateway::Running,
    operator: Identity,
    doors: BTreeMap<&'static str, Vec<Listed>>,
    /// What stands before the fraud engine for those who ask it, in a shop that has it.
    relay: Option<Relay>,
}

impl Shop {
    /// Opens a shop on its own broker.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens a shop with some settings of its own.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (broker, host) = start_broker(&folder).await;
        Self::assemble(folder, Some(broker), &host, settings, false).await
    }

    /// Opens a shop whose way to the fraud engine leads over a relay.
    pub async fn open_relayed(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (broker, host) = start_broker(&folder).await;
        Self::assemble(folder, Some(broker), &host, settings, true).await
    }

    /// Opens a shop on a Pub/Sub that is there already: `host:port`, as in `PUBSUB_EMULATOR_HOST`. Google's emulator signs no tokens, so
    /// nobody stands at the doors of this shop.
    pub async fn open_on(host: &str) -> Self {
        Self::assemble(tempfile::tempdir().expect("a folder"), None, host, &[], false).await
    }

    async fn assemble(
        folder: TempDir,
        broker: Option<Broker>,
        host: &str,
        settings: &[(&str, &str)],
        relayed: bool,
    ) -> Self {
        let address = Address::new("test", Some(host));
        let pubsub = Arc::new(PubSub::connect(address.clone()).await.expect("a bus"));
        let bus: Arc<dyn Bus> = Arc::clone(&pubsub) as _;
        let mut environment: BTreeMap<String, String> =
            SETTINGS.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let keys = folder.path().join(KEYS);
        DevelopmentKey::open_or_make(&keys).expect("a key");
        let operator = Identity::of_local_operator(&keys).expect("the key just made");
        if broker.is_some() {
            environment.extend(on_this_machine(&keys, host));
        } else {
            environment.extend(clients_of_this_machine(&keys));
            environment.insert("PUBSUB_EMULATOR_HOST".to_owned(), host.to_owned());
        }
        let mut addresses = BTreeMap::new();
        let mut running = BTreeMap::new();
        let mut doors = BTreeMap::new();
        let mut relay = None;
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        for part in parts() {
            let service = assembled(&part, &folder, listen, &bus, &environment);
            doors.insert(part.name, service.list());
            let service = service.start(listen).await.expect("a free port");
            addresses.insert(part.name, service.address());
            environment.insert(variable(part.name), format!("http://{}", service.address()));
            if relayed && part.name == fraud_engine::NAME {
                let before = Relay::before(service.address()).await.expect("a free port");
                environment.insert(variable(part.name), format!("http://{}", before.address()));
                relay = Some(before);
            }
            running.insert(part.name, service);
        }
        let config =
            gateway::Config::from_environment(&Environment::of(environment.clone()), listen).expect("complete");
        let identity = identity(gateway::NAME, &environment, listen);
        let gateway = gateway::start(listen, config, &identity).await.expect("a gateway");
        let push = |name: &'static str| Some((name, push_to(name, format!("http://{}/", addresses.get(name)?))));
        let pushes = topology::consumers().into_iter().filter_map(push).collect();
        bus::provision::provision(&address, &pushes, None).await.expect("topics and subscriptions");
        Self { folder, broker, bus, pubsub, environment, addresses, running, gateway, operator, doors, relay }
    }

    /// A client of one part, called as the operator; `gateway` too.
    pub fn peer(&self, name: &'static str) -> Peer {
        self.patient_peer(name, Duration::from_secs(10))
    }

    /// As [`Shop::peer`], for answers that take their time.
    pub fn patient_peer(&self, name: &'static str, patience: Duration) -> Peer {
        let address = if name == "gateway" { self.gateway.address() } else { self.addresses[name] };
        self.operator.peer(name, &format!("http://{address}"), patience)
    }

    /// Every door of every service.
    pub fn doors(&self) -> impl Iterator<Item = (&'static str, &Listed)> {
        self.doors.iter().flat_map(|(name, doors)| doors.iter().map(|door| (*name, door)))
    }

    /// The folder of the shop's development key.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join(KEYS)
    }

    /// What stands before the fraud engine.
    ///
    /// # Panics
    /// In a shop that was opened without it.
    pub fn relay(&self) -> &Relay {
        self.relay.as_ref().expect("a shop opened with a relay")
    }

    /// Where a service listens.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}", self.addresses[name])
    }

    /// The way to Pub/Sub.
    pub fn bus(&self) -> &dyn Bus {
        &*self.bus
    }

    /// A service's database.
    pub fn database(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.db"))
    }

    /// Stops one service: its port refuses connections until it is started again.
    pub async fn stop(&mut self, name: &str) {
        self.running.remove(name).expect("it was running").stop().await;
    }

    /// Starts a stopped service where it was.
    pub async fn start(&mut self, name: &'static str) {
        let part = parts().into_iter().find(|part| part.name == name).expect("a part");
        let listen = self.addresses[name];
        let service = assembled(&part, &self.folder, listen, &self.bus, &self.environment);
        let service = service.start(listen).await.expect("its own port");
        self.running.insert(name, service);
    }

    /// Starts ops, which not every test needs. Once stopped it can be opened again on its database.
    pub async fn open_ops(&mut self) {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let database = Database::Sqlite { path: self.database(ops::NAME) };
        let identity = identity(ops::NAME, &self.environment, listen);
        let base = Base { listen, database, bus: Arc::clone(&self.bus), identity };
        let config = ops::Config::from_environment(&Environment::of(self.environment.clone())).expect("complete");
        let service = ops::service(&base, config, Arc::clone(&self.pubsub) as _).expect("a service");
        self.doors.insert(ops::NAME, service.list());
        let service = service.start(listen).await.expect("a free port");
        self.addresses.insert(ops::NAME, service.address());
        self.running.insert(ops::NAME, service);
    }

    /// Deploys one service anew with a setting, or without it.
    pub async fn deploy(&mut self, name: &'static str, variable: &str, value: Option<&str>) {
        match value {
            Some(value) => self.environment.insert(variable.to_owned(), value.to_owned()),
            None => self.environment.remove(variable),
        };
        self.stop(name).await;
        self.start(name).await;
    }

    /// Stops everything.
    pub async fn close(self) {
        self.gateway.stop().await;
        for (_, service) in self.running {
            service.stop().await;
        }
        if let Some(broker) = self.broker {
            broker.shutdown().await;
        }
    }

    /// Places an order through the gateway and returns checkout's answer.
    pub async fn place(&self, customer: &str, lines: &[(&str, u32)]) -> Value {
        let lines: Vec<Value> =
            lines.iter().map(|(product, quantity)| json!({ "productId": product, "quantity": quantity })).collect();
        let order = json!({ "customerId": customer, "lines": lines });
        let gateway = self.patient_peer("gateway", LONGEST_ORDER);
        gateway.post_once("/v1/orders", &order).await.expect("the order is confirmed")
    }

    /// Waits until OMS has the order in a status, and returns OMS's view of it.
    ///
    /// # Panics
    /// When that does not happen in time, with what OMS has instead.
    pub async fn wait(&self, order_id: &str, status: &str) -> Value {
        let path = format!("/orders/{order_id}");
        let oms = self.peer("oms");
        eventually(&format!("order {order_id} {status}"), async || {
            let order: Value = oms.get(&path).await.map_err(|error| error.to_string())?;
            if order["status"] == status { Ok(order) } else { Err(order.to_string()) }
        })
        .await
    }
}

/// Tries until it works.
///
/// # Panics
/// When patience runs out, with the last reason.
pub async fn eventually<T>(what: &str, attempt: impl AsyncFn() -> Result<T, String>) -> T {
    let watch = runtime::clock::Stopwatch::start();
    loop {
        match attempt().await {
            Ok(found) => return found,
            Err(reason) if watch.elapsed() > PATIENCE => panic!("waited in vain for {what}: {reason}"),
            Err(_) => tokio::time::sleep(PERIOD).await,
        }
    }
}

async fn start_broker(folder: &TempDir) -> (Broker, String) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let data = folder.path().join("broker");
    // Deadlines are short here, and the first push would wait for the broker to make its key.
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("identity.der"), testkit::rsa_key()).expect("a key");
    let settings = broker::Settings { listen, data, fast: true, ..Default::default() };
    let broker = Broker::start(settings).await.expect("a broker");
    let host = broker.address().to_string();
    (broker, host)
}

fn variable(name: &str) -> String {
    format!("BOUTIQUE_{}_URL", name.replace('-', "_").to_uppercase())
}

/// Who a service is. A shop without a key for that is an open house.
fn identity(name: &str, environment: &BTreeMap<String, String>, listen: SocketAddr) -> Identity {
    let environment = Environment::of(environment.clone());
    if environment.text("BOUTIQUE_IDENTITY_KEY").is_none() {
        return Identity::open_house();
    }
    Identity::from_environment(name, &environment, listen).expect("the test's environment is complete")
}

fn assembled(
    part: &Part,
    folder: &TempDir,
    listen: SocketAddr,
    bus: &Arc<dyn Bus>,
    environment: &BTreeMap<String, String>,
) -> Service {
    let database = Database::Sqlite { path: folder.path().join(format!("{}.db", part.name)) };
    let identity = identity(part.name, environment, listen);
    let base = Base { listen, database, bus: Arc::clone(bus), identity };
    (part.assemble)(&base, &Environment::of(environment.clone())).expect("a service")
}
