//! A shop as a process of its own, and the command line beside it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use runtime::{CallError, Identity, Peer};
use serde_json::{Value, json};

/// Looks this often, this many times.
const PERIOD: Duration = Duration::from_millis(100);
const TIMES: u32 = 900;
/// What everybody buys.
pub const LENS: &str = "66VCHSJNUP:2";

/// Where the services keep their tables.
pub enum Engine {
    /// Files in the data folder.
    Sqlite,
    /// A database of the test's own: its URL.
    Postgres(String),
}

impl Engine {
    /// A new database on a server.
    pub fn postgres(server: &str) -> Self {
        let name = format!("erase_{}", std::process::id());
        let mut client = postgres::Client::connect(server, postgres::NoTls).expect("the server");
        client.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        let (host, _) = server.rsplit_once('/').expect("a URL with a database");
        Engine::Postgres(format!("{host}/{name}"))
    }
}

/// A shop.
pub struct Shop {
    folder: tempfile::TempDir,
    pub engine: Engine,
    process: Option<Child>,
    calls: tokio::runtime::Runtime,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shop {
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("data")).expect("a folder");
        let calls = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { folder, engine, process: None, calls }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything the shop has logged.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
        command.env("BOUTIQUE_DATA", self.data()).env_remove("DATABASE_URL").args(arguments).stdin(Stdio::null());
        if let Engine::Postgres(url) = &self.engine
            && matches!(arguments[0], "up" | "audit" | "erase")
        {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts it, with a log that leaves nothing out.
    pub fn up(&mut self, settings: &[(&str, &str)]) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        let mut command =
            self.command(&["up", "--ports", "auto", "--dispatch-delay-ms", "0", "--deliver-delay-ms", "0"]);
        command.env("RUST_LOG", "trace").envs(settings.iter().copied()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().expect("boutique up"));
        self.until("the shop to be up", |shop| shop.data().join("addresses.json").exists());
    }

    /// Stops it in order.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let pid = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        assert!(process.wait().expect("it ends").success());
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
            let _ = std::fs::remove_file(self.data().join("addresses.json"));
        }
    }

    /// Runs a command.
    pub fn boutique(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("boutique runs")
    }

    /// Runs a command that goes well, for its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.boutique(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Whether an erasure was brought to its end, and its report.
    pub fn erase(&self, arguments: &[&str]) -> (bool, Value) {
        let output = self.boutique(&[&["erase", "--json", "--by", "officer"], arguments].concat());
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}): {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.success(), report)
    }

    /// Places an order of two lenses.
    pub fn place(&self, customer: &str) -> Value {
        self.json(&["order", "place", "--customer", customer, LENS])
    }

    fn peer(&self, name: &'static str) -> Peer {
        let addresses = std::fs::read_to_string(self.data().join("addresses.json")).expect("addresses");
        let addresses: Value = serde_json::from_str(&addresses).expect("addresses");
        let _inside = self.calls.enter();
        let operator =
            Identity::of_local_operator(&self.data().join("identity")).expect("a shop that is up has its key");
        operator.peer(name, addresses[name].as_str().expect("a URL"), Duration::from_secs(30))
    }

    pub fn get(&self, name: &'static str, path: &str) -> Value {
        let peer = self.peer(name);
        self.calls.block_on(peer.get(path)).expect("an answer")
    }

    pub fn post(&self, name: &'static str, path: &str, body: &Value) -> Value {
        self.try_post(name, path, body).unwrap_or_else(|error| panic!("{name}{path}: {error}"))
    }

    pub fn try_post(&self, name: &'static str, path: &str, body: &Value) -> Result<Value, CallError> {
        let peer = self.peer(name);
        if body.is_null() {
            // Without a body.
            let raw = self.calls.block_on(peer.raw(http::Method::POST, path, Vec::new().into()))?;
            assert!(raw.0.is_success() || raw.0 == 404, "{} {:?}", raw.0, raw.1);
            return match raw.0.is_success() {
                true => Ok(Value::Null),
                false => Err(CallError::Unavailable { peer: name, reason: "not yet".to_owned() }),
            };
        }
        self.calls.block_on(peer.post_once(path, body))
    }

    pub fn until(&self, what: &str, happened: impl Fn(&Self) -> bool) {
        for _ in 0..TIMES {
            if happened(self) {
                return;
            }
            std::thread::sleep(PERIOD);
        }
        panic!("waited in vain for {what}; the log ends with\n{}", end_of(&self.log()));
    }

    pub fn until_order(&self, order: &str, status: &str) {
        self.until(&format!("order {order} {status}"), |shop| {
            shop.json(&["order", "show", order])["order"]["order"]["status"] == status
        });
    }

    /// Publishes what no service of ours would say: an event that names its customer in the clear, and dies for want of its lines.
    pub fn publish_naming(&self, customer: &str) {
        let data = json!({ "orderId": "planted", "customerId": customer, "risk": "LOW" });
        let attributes = json!({
            "ce-specversion": "1.0", "ce-id": "planted-1", "ce-source": "//onlineboutique.com/stranger", "ce-subject": "orders/planted",
            "ce-type": "com.onlineboutique.order.confirmed.v1", "ce-time": "2026-01-31T12:00:00Z", "ce-partitionkey": "planted",
            "ce-correlationid": "planted-1", "ce-datacontenttype": "application/json",
            "ce-dataschema": "https://onlineboutique.com/schemas/order.confirmed.v1.json",
        });
        let message = json!({ "attributes": attributes, "data": BASE64_STANDARD.encode(data.to_string()) });
        let path = "/v1/projects/local/topics/order-events:publish";
        self.post("broker", path, &json!({ "messages": [message] }));
    }
}

fn end_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let from = text.char_indices().rev().nth(4_000).map_or(0, |(at, _)| at);
    text[from..].to_owned()
}
