//! Where the parts of a running shop listen: written by `boutique up`, read by every other command.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::roster;

/// Name of the broker in the list.
pub const BROKER: &str = "broker";
/// Name of the gateway in the list.
pub const GATEWAY: &str = "gateway";

/// Ports below those that systems give to clients by themselves: no connection can take one between the look for it and the start of
/// what is to listen there, and no client that waits for its server is in the end connected to itself.
const PORTS: Range<u16> = 20_000..30_000;
/// Ports between the first choices of two processes with neighbouring ids.
const APART: u32 = 101;

/// Listeners on ports that are free now, the first chosen by the process's id. What listens on one of them later finds it free, unless
/// another program has taken it meanwhile.
pub fn free_listeners(host: &str) -> impl Iterator<Item = TcpListener> {
    let count = PORTS.end - PORTS.start;
    let first = u16::try_from(std::process::id().wrapping_mul(APART) % u32::from(count)).unwrap_or_default();
    (0..count).filter_map(move |number| TcpListener::bind((host, PORTS.start + (first + number) % count)).ok())
}

/// Base URLs by name of the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses(BTreeMap<String, String>);

impl Addresses {
    /// One address on `host` for every part: the fixed ports of the roster, or free ones.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn plan(host: &str, free_ports: bool) -> anyhow::Result<Self> {
        let mut free = free_listeners(host);
        // Held until all are chosen, so that none is given twice.
        let mut held = Vec::new();
        let mut all = BTreeMap::new();
        for part in roster::PARTS {
            let port = if free_ports {
                let listener = free.next().context("no free port to listen on")?;
                let port = listener.local_addr()?.port();
                held.push(listener);
                port
            } else {
                part.port
            };
            all.insert(part.name.to_owned(), format!("http://{host}:{port}"));
        }
        Ok(Self(all))
    }

    /// The addresses of the shop whose data is in `folder`.
    ///
    /// # Errors
    /// When no shop runs there.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = file(folder);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("no running shop in {}: start one with `boutique up --data {0}`", folder.display())
        })?;
        Ok(Self(serde_json::from_str(&text).with_context(|| format!("{} is not a list of addresses", path.display()))?))
    }

    /// Writes the list, whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let path = file(folder);
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_string_pretty(&self.0)?)
            .and_then(|()| std::fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Base URL of a part.
    ///
    /// # Errors
    /// When the part is not in the list.
    pub fn url(&self, name: &str) -> anyhow::Result<&str> {
        match self.0.get(name) {
            Some(url) => Ok(url),
            None => bail!("the shop has no part named {name}"),
        }
    }

    /// Socket address of a part.
    ///
    /// # Errors
    /// When the part is not in the list or its URL holds no socket address.
    pub fn socket(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let url = self.url(name)?;
        let authority = url.trim_start_matches("http://");
        authority.parse().with_context(|| format!("{url} is not http://ADDRESS:PORT"))
    }

    /// Names and base URLs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, url)| (name.as_str(), url.as_str()))
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("addresses.json")
}
