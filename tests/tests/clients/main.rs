//! Google's own clients, as they are, against the broker: Rust, Python and Node do the same steps (clients/README.md).
//!
//! `BOUTIQUE_PYTHON` names an interpreter that has the client, `BOUTIQUE_NODE_MODULES` a folder that has it; a test says so where they are
//! not set. `BOUTIQUE_REQUIRE_CLIENTS=1` makes their absence a failure. `BOUTIQUE_CLIENTS_HOST` is another Pub/Sub to try them on, and
//! `BOUTIQUE_CLIENTS_STEPS` the names of the only steps to do.

#![allow(clippy::unwrap_used)]

mod rust;

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use broker::{Broker, Settings};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// A program that runs longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often we look whether it has ended.
const PERIOD: Duration = Duration::from_millis(20);
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");

#[tokio::test]
async fn the_rust_client_finds_all_it_knows_of_pubsub() {
    let pubsub = PubSub::open().await;
    rust::exercise(&pubsub.host, &steps()).await;
    pubsub.close().await;
}

#[tokio::test]
async fn the_python_client_finds_all_it_knows_of_pubsub() {
    let Some(python) = installed("BOUTIQUE_PYTHON") else { return };
    let pubsub = PubSub::open().await;
    run(Command::new(python).arg(format!("{PROGRAMS}/python/exercise.py")), &pubsub.host).await;
    pubsub.close().await;
}

#[tokio::test]
async fn the_node_client_finds_all_it_knows_of_pubsub() {
    if installed("BOUTIQUE_NODE_MODULES").is_none() {
        return;
    }
    let pubsub = PubSub::open().await;
    run(Command::new("node").arg(format!("{PROGRAMS}/node/exercise.mjs")), &pubsub.host).await;
    pubsub.close().await;
}

/// What the client is tried on.
struct PubSub {
    host: String,
    broker: Option<(Broker, TempDir)>,
}

impl PubSub {
    async fn open() -> Self {
        if let Ok(host) = env::var("BOUTIQUE_CLIENTS_HOST") {
            return Self { host, broker: None };
        }
        let folder = tempfile::tempdir().expect("a folder");
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = Settings { listen, data: folder.path().to_owned(), fast: true, ..Settings::default() };
        let broker = Broker::start(settings).await.expect("a broker");
        Self { host: broker.address().to_string(), broker: Some((broker, folder)) }
    }

    async fn close(self) {
        if let Some((broker, _folder)) = self.broker {
            broker.shutdown().await;
        }
    }
}

/// Names of the steps to do; none are all.
fn steps() -> Vec<String> {
    let chosen = env::var("BOUTIQUE_CLIENTS_STEPS").unwrap_or_default();
    chosen.split_whitespace().map(str::to_owned).collect()
}

/// Where a client is installed, if it is.
fn installed(variable: &str) -> Option<String> {
    let place = env::var(variable).ok().filter(|place| !place.is_empty());
    if place.is_none() {
        assert!(env::var("BOUTIQUE_REQUIRE_CLIENTS").is_err(), "{variable} is not set");
        eprintln!("skipped: {variable} is not set");
    }
    place
}

/// Runs a program to its end, which must be a good one.
async fn run(program: &mut Command, host: &str) {
    let program = program.args(steps()).env("PUBSUB_EMULATOR_HOST", host);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // What it says fits into its pipes, so nobody need read before it ends.
    let ended = timeout(PATIENCE, async {
        while child.try_wait().expect("it is our child").is_none() {
            sleep(PERIOD).await;
        }
    });
    let in_time = ended.await.is_ok();
    if !in_time {
        // It may have ended by itself by now.
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("it is our child");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(in_time && output.status.success(), "{} within {PATIENCE:?}, having said\n{said}", output.status);
    eprint!("{said}");
}
