//! `boutique up` on the disk whose power is cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use force::process::{self, Process};
use identity::development;
use runtime::clock::Stopwatch;
use runtime::{Identity, Peer};
use serde_json::Value;

/// The binary.
pub(crate) const BOUTIQUE: &str = env!("CARGO_BIN_EXE_boutique");
/// How long a start may take, and how often it is looked at.
const START_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The folder of the development key in the shop's data.
const KEYS: &str = "identity";
/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A shop that runs, or is about to.
pub(crate) struct Shop {
    process: Process,
    data: PathBuf,
    addresses: BTreeMap<String, String>,
}

impl Shop {
    /// Starts the shop on `data`, with a planted mistake or without; [`Shop::up`] waits until it answers.
    pub(crate) fn start(data: &Path, log: &Path, mistake: Option<&str>) -> Shop {
        // A shop without power cannot take its addresses down.
        let _ = std::fs::remove_file(data.join("addresses.json"));
        let mut command = Command::new(BOUTIQUE);
        command.args(["up", "--ports", "auto", "--quiet", "--data"]).arg(data);
        // Some orders are between two steps whenever the power goes.
        command.args(["--dispatch-delay-ms", "50", "--deliver-delay-ms", "50"]);
        command.env_remove("DATABASE_URL").env("BOUTIQUE_FRAUD_VELOCITY_LIMIT", "100000");
        if let Some(mistake) = mistake {
            command.env("BOUTIQUE_PLANT", mistake);
        }
        Shop { process: Process::start(&mut command, log), data: data.to_owned(), addresses: BTreeMap::new() }
    }

    /// Waits until every part of it listens.
    ///
    /// # Panics
    /// When it does not come up.
    pub(crate) async fn up(&mut self) {
        let watch = Stopwatch::start();
        // The file is written last of all, whole or not at all.
        while self.addresses.is_empty() {
            if let Some(status) = self.process.ended() {
                panic!("the shop ended ({status}):\n{}", self.process.said());
            }
            assert!(watch.elapsed() < START_WITHIN, "the shop does not start:\n{}", self.process.said());
            tokio::time::sleep(LOOK_EVERY).await;
            let Ok(text) = std::fs::read_to_string(self.data.join("addresses.json")) else { continue };
            self.addresses = serde_json::from_str(&text).expect("a list of addresses");
        }
        let gateway = self.peer("gateway");
        while let Err(error) = gateway.get::<Value>("/ready").await {
            assert!(watch.elapsed() < START_WITHIN, "{error}:\n{}", self.process.said());
        }
    }

    /// A part of it.
    pub(crate) fn peer(&self, name: &'static str) -> Peer {
        let operator = Identity::of_local_operator(&self.keys()).expect("a shop that is up has its key");
        operator.peer(name, &self.addresses[name], PATIENCE)
    }

    /// Gives the audit, which looks into `folder`, the key with which the operator calls.
    pub(crate) fn lend_key(&self, folder: &Path) {
        let lent = folder.join(KEYS);
        std::fs::create_dir_all(&lent).expect("a folder to write to");
        std::fs::copy(development::key_path(&self.keys()), development::key_path(&lent)).expect("a key to copy");
    }

    fn keys(&self) -> PathBuf {
        self.data.join(KEYS)
    }

    /// Where its parts listen, as the audit reads it.
    pub(crate) fn addresses(&self) -> String {
        serde_json::to_string(&self.addresses).expect("a map of texts")
    }

    pub(crate) fn kill_9(self) {
        self.process.kill_9();
    }
}

/// The end of what the shop logged.
pub(crate) fn said(log: &Path) -> String {
    process::said(log)
}
