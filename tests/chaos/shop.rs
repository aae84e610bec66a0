//! The shop as containers run it: `boutique broker`, and `boutique serve` for each service, each with a folder of its own, told by its
//! environment where the others are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bus::Address;
use events::topology;
use fastrand::Rng;
use force::disk::Disk;
use force::process::Process;
use identity::DevelopmentKey;
use identity::development::CLOUD_VARIABLES;
use runtime::clock::Stopwatch;
use runtime::doors::{on_this_machine, push_to};
use runtime::{Identity, Peer};
use serde_json::Value;
use tempfile::TempDir;

use crate::engine::Engine;

/// The binary.
pub(crate) const BOUTIQUE: &str = env!("CARGO_BIN_EXE_boutique");
/// The broker among the parts.
pub(crate) const BROKER: &str = "broker";
/// Parts without a database.
const BOOKLESS: [&str; 2] = ["gateway", BROKER];
/// The folder of the development key.
const KEYS: &str = "identity";
/// Services that no event is pushed to.
const UNTOLD: [&str; 5] = ["gateway", "food", "fraud-engine", "scheduler", "ops"];
/// Services of which one has a small disk.
const ON_THE_DISK: [&str; 4] = ["checkout", "oms", "accounting", "inventory"];
/// Bytes of that disk: enough for a long run, and soon full when somebody fills it.
const DISK_BYTES: u64 = 1 << 30;
/// How long a part may take to start, and how often it is asked.
const START_WITHIN: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ports that no system gives to clients by itself: while a part is down, a client of it that was given its port would be connected to
/// itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The shop.
pub(crate) struct Shop {
    parts: BTreeMap<&'static str, Part>,
    engine: Engine,
    disk: Option<(&'static str, Disk)>,
    ended: Mutex<Vec<String>>,
    operator: Identity,
    folder: TempDir,
}

struct Part {
    address: SocketAddr,
    data: PathBuf,
    log: PathBuf,
    /// `None` while it is down.
    process: Mutex<Option<Process>>,
}

impl Shop {
    /// Starts every part, makes the topics, and waits until all are ready. One service drawn from `dice` lives on a small disk, if this
    /// machine lets one be made.
    pub(crate) async fn open(dice: &mut Rng) -> Shop {
        let folder = tempfile::tempdir().expect("a folder");
        let unlucky = ON_THE_DISK[dice.usize(..ON_THE_DISK.len())];
        let disk = Disk::make(DISK_BYTES).map(|disk| (unlucky, disk));
        let mut parts = BTreeMap::new();
        for name in names() {
            let data = match &disk {
                Some((unlucky, disk)) if *unlucky == name => disk.at().join(name),
                _ => folder.path().join(name),
            };
            let log = folder.path().join(format!("{name}.log"));
            let taken: BTreeSet<SocketAddr> = parts.values().map(|part: &Part| part.address).collect();
            parts.insert(name, Part { address: free_address(&taken), data, log, process: Mutex::default() });
        }
        let engine = Engine::before(parts["fraud-engine"].address).await;
        // Where the audit looks for it, too.
        let keys = folder.path().join(KEYS);
        DevelopmentKey::open_or_make(&keys).expect("a key");
        let operator = Identity::of_local_operator(&keys).expect("the key just made");
        let shop = Shop { parts, engine, disk, ended: Mutex::default(), operator, folder };
        shop.lay_out_books();
        shop.start(BROKER);
        shop.ready(BROKER).await;
        let push = |name: &'static str| (name, push_to(name, format!("http://{}/", shop.parts[name].address)));
        let pushes = topology::consumers().into_iter().map(push).collect();
        let project = Address::new("local", Some(&shop.parts[BROKER].address.to_string()));
        bus::provision::provision(&project, &pushes, None).await.expect("topics and subscriptions");
        shop.heal().await;
        shop
    }

    /// The audit reads all databases from one folder, and the addresses from the one with the notes.
    fn lay_out_books(&self) {
        let books = self.books();
        std::fs::create_dir(&books).expect("a folder for the books");
        for name in self.names().filter(|name| Self::keeps_books(name)) {
            symlink(self.database(name), books.join(format!("{name}.db"))).expect("a link");
        }
        let addresses: BTreeMap<&str, String> =
            self.parts.iter().map(|(name, part)| (*name, format!("http://{}", part.address))).collect();
        let text = serde_json::to_string(&addresses).expect("a map of texts");
        std::fs::write(self.folder().join("addresses.json"), text).expect("a folder to write to");
    }

    /// Every part.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.parts.keys().copied()
    }

    /// The folder of logs, notes and books.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Links to every database.
    pub(crate) fn books(&self) -> PathBuf {
        self.folder().join("books")
    }

    /// The database of a part.
    pub(crate) fn database(&self, name: &str) -> PathBuf {
        self.parts[name].data.join(format!("{name}.db"))
    }

    /// Whether a part has a database.
    pub(crate) fn keeps_books(name: &str) -> bool {
        !BOOKLESS.contains(&name)
    }

    /// The service with the small disk, and the disk.
    pub(crate) fn small_disk(&self) -> Option<(&'static str, &Disk)> {
        self.disk.as_ref().map(|(name, disk)| (*name, disk))
    }

    /// The wire to the fraud engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A way to a part that outlasts it.
    pub(crate) fn peer(&self, name: &'static str) -> Peer {
        self.operator.peer(name, &format!("http://{}", self.parts[name].address), PATIENCE)
    }

    /// SIGKILL.
    pub(crate) fn kill_9(&self, name: &str) {
        if let Some(process) = self.process(name).take() {
            process.kill_9();
        }
    }

    /// SIGSTOP.
    pub(crate) fn pause(&self, name: &str) {
        self.process(name).as_ref().into_iter().for_each(Process::pause);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self, name: &str) {
        self.process(name).as_ref().into_iter().for_each(Process::resume);
    }

    /// Starts a part that is down.
    pub(crate) fn start(&self, name: &'static str) {
        let mut process = self.process(name);
        if process.is_none() {
            *process = Some(Process::start(&mut self.command(name), &self.parts[name].log));
        }
    }

    /// Starts again what has ended by itself, as whoever runs containers would, and notes it.
    pub(crate) fn tend(&self, name: &'static str) {
        let mut process = self.process(name);
        if let Some(running) = process.as_mut()
            && let Some(status) = running.ended()
        {
            let note = format!("{name} ended by itself ({status}):\n{}", running.said());
            self.ended.lock().expect("a list").push(note);
            *process = None;
            drop(process);
            self.start(name);
        }
    }

    /// Parts that ended without being killed, each with the end of its log.
    pub(crate) fn ended_by_themselves(&self) -> Vec<String> {
        self.ended.lock().expect("a list").clone()
    }

    /// Waits until every part does its work.
    pub(crate) async fn heal(&self) {
        self.names().for_each(|name| self.start(name));
        for name in self.names() {
            self.ready(name).await;
        }
    }

    async fn ready(&self, name: &'static str) {
        let watch = Stopwatch::start();
        let path = if name == BROKER { "/stats" } else { "/ready" };
        while let Err(error) = self.peer(name).get::<Value>(path).await {
            self.tend(name);
            let said = || force::process::said(&self.parts[name].log);
            assert!(watch.elapsed() < START_WITHIN, "{name} does not get ready: {error}\n{}", said());
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn command(&self, name: &str) -> Command {
        let part = &self.parts[name];
        let mut command = Command::new(BOUTIQUE);
        if name == BROKER {
            command.args(["broker", "--host-port", &part.address.to_string(), "--data"]).arg(&part.data);
            return command;
        }
        for (other, part) in &self.parts {
            let address = if *other == "fraud-engine" { self.engine.address() } else { part.address };
            let variable = format!("BOUTIQUE_{}_URL", other.replace('-', "_").to_uppercase());
            command.env(variable, format!("http://{address}"));
        }
        // The parts are on one machine, wherever that is.
        for name in CLOUD_VARIABLES {
            command.env_remove(name);
        }
        command
            .args(["serve", name])
            .env("BOUTIQUE_LISTEN", part.address.to_string())
            .env("BOUTIQUE_DATABASE", format!("sqlite:{}", part.data.display()))
            .envs(on_this_machine(&self.folder().join(KEYS), &self.parts[BROKER].address.to_string()))
            // Some orders are between two steps at any time.
            .env("BOUTIQUE_DISPATCH_DELAY_MS", "200")
            .env("BOUTIQUE_DELIVER_DELAY_MS", "200")
            // All clients are on this machine.
            .env("BOUTIQUE_RATE_ADDRESS_PER_S", "1000000")
            .env("BOUTIQUE_RATE_ADDRESS_BURST", "1000000")
            .env("BOUTIQUE_FRAUD_VELOCITY_LIMIT", "100000")
            // Time passes in short steps, and holds lapse while the run lasts.
            .env("BOUTIQUE_MINUTE_MS", "2000")
            .env("BOUTIQUE_HOLD_MINUTES", "1");
        command
    }

    fn process(&self, name: &str) -> MutexGuard<'_, Option<Process>> {
        self.parts[name].process.lock().expect("nothing panics while it holds a process")
    }
}

/// Whoever events are delivered to, and the others.
fn names() -> BTreeSet<&'static str> {
    topology::consumers().into_iter().chain(UNTOLD).chain([BROKER]).collect()
}

fn free_address(taken: &BTreeSet<SocketAddr>) -> SocketAddr {
    // Not from the seed: which ports are free is nothing a seed could repeat.
    let mut dice = Rng::new();
    std::iter::repeat_with(|| SocketAddr::from((Ipv4Addr::LOCALHOST, dice.u16(PORTS))))
        .take(1_000)
        .find(|address| !taken.contains(address) && TcpListener::bind(address).is_ok())
        .expect("one port of thousands is free")
}
