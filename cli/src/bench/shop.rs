//! The shop under measurement: started for the purpose, or one that runs already.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use http::HeaderValue;
use runtime::Peer;
use runtime::clock::Stopwatch;
use serde_json::Value;

use super::child::{Process, tail};
use crate::addresses::{Addresses, BROKER};
use crate::api;
use crate::identities;
use crate::roster;

/// How long a shop may take to start.
const START_WITHIN: Duration = Duration::from_secs(60);
/// How often a starting shop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer of the shop may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running shop.
pub struct Shop {
    data: PathBuf,
    addresses: Addresses,
    pid: u32,
    /// `None`: it ran before and goes on after.
    process: Option<Process>,
    log: PathBuf,
}

impl Shop {
    /// Starts a shop with fresh data below `folder` and waits until every service is ready.
    ///
    /// # Errors
    /// When it does not come up; the end of its log is in the error.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("shop");
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let log = folder.join("up.log");
        let errors = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let text = data.to_str().context("the work folder's name is not UTF-8: choose another with --work-dir")?;
        let arguments =
            ["up", "--data", text, "--ports", "auto", "--dispatch-delay-ms", "0", "--deliver-delay-ms", "0", "--quiet"];
        let mut process = Process::start(&arguments, |command| {
            // The figures are those of the embedded database, whatever the caller's environment says.
            command.env_remove("DATABASE_URL").stderr(errors);
        })?;
        let waited = Stopwatch::start();
        let addresses = loop {
            if let Some(status) = process.ended() {
                bail!("the shop ended at once ({status}):\n{}", tail(&log));
            }
            if let Ok(addresses) = Addresses::load(&data) {
                break addresses;
            }
            if waited.elapsed() > START_WITHIN {
                bail!("the shop did not start within {} s:\n{}", START_WITHIN.as_secs(), tail(&log));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let shop = Self { data, addresses, pid: process.id(), process: Some(process), log };
        shop.ready(waited).await?;
        Ok(shop)
    }

    /// A shop that runs on `data`.
    ///
    /// # Errors
    /// When none does.
    pub async fn attach(data: &Path) -> anyhow::Result<Self> {
        let addresses = Addresses::load(data)?;
        let path = data.join("boutique.pid");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}: start the shop with `boutique up --data {}`", path.display(), data.display())
        })?;
        let pid =
            text.trim().parse().with_context(|| format!("{} holds no process id but {text:?}", path.display()))?;
        let shop = Self { data: data.to_owned(), addresses, pid, process: None, log: PathBuf::new() };
        shop.ready(Stopwatch::start()).await?;
        Ok(shop)
    }

    async fn ready(&self, waited: Stopwatch) -> anyhow::Result<()> {
        for part in roster::services() {
            let peer = self.peer(part.name)?;
            while let Err(error) = peer.get::<Value>("/ready").await {
                if waited.elapsed() > START_WITHIN {
                    bail!("the shop is not ready after {} s: {error}\n{}", START_WITHIN.as_secs(), tail(&self.log));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Whether the benchmark started it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.process.is_some()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A part's HTTP door.
    ///
    /// # Errors
    /// When the shop has no such part.
    pub fn peer(&self, name: &'static str) -> anyhow::Result<Peer> {
        api::peer_at(&self.data, name, self.addresses.url(name)?, PATIENCE)
    }

    /// The `Authorization` header that opens a part's doors to the operator.
    ///
    /// # Errors
    /// When the operator's key cannot be read.
    pub async fn token(&self, name: &str) -> anyhow::Result<Option<HeaderValue>> {
        match identities::operator(&self.data)? {
            Some(operator) => Ok(operator.authorization(name).await?),
            None => Ok(None),
        }
    }

    /// A part's socket address.
    ///
    /// # Errors
    /// When the shop has no such part.
    pub fn socket(&self, name: &str) -> anyhow::Result<SocketAddr> {
        self.addresses.socket(name)
    }

    /// The broker's socket address, as `PUBSUB_EMULATOR_HOST` wants it.
    ///
    /// # Errors
    /// When the shop has no broker.
    pub fn broker(&self) -> anyhow::Result<String> {
        Ok(self.socket(BROKER)?.to_string())
    }

    /// Ends a shop of ours, in order; leaves any other alone. False: it had to be killed.
    pub async fn stop(self) -> bool {
        match self.process {
            Some(process) => process.stop().await,
            None => true,
        }
    }
}
