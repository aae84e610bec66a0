//! Requests of the command line to a running shop.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use runtime::Peer;

use crate::addresses::{Addresses, GATEWAY};
use crate::identities;

/// How long a command waits for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which shop a command talks to.
#[derive(Debug, Clone, Args)]
pub struct Shop {
    /// Data folder of the running shop; its addresses are found there
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA", global = true)]
    pub data: PathBuf,
    /// The gateway's URL, instead of the one found in the data folder
    #[arg(long, value_name = "URL", env = "BOUTIQUE_GATEWAY_URL", global = true)]
    pub gateway: Option<String>,
}

impl Shop {
    /// The gateway's URL.
    ///
    /// # Errors
    /// When no shop runs in the data folder and no URL was given.
    pub fn gateway_url(&self) -> anyhow::Result<String> {
        match &self.gateway {
            Some(url) => Ok(url.clone()),
            None => Ok(Addresses::load(&self.data)?.url(GATEWAY)?.to_owned()),
        }
    }

    /// The gateway.
    ///
    /// # Errors
    /// When no shop runs in the data folder and no URL was given.
    pub fn gateway(&self) -> anyhow::Result<Peer> {
        peer_at(&self.data, GATEWAY, &self.gateway_url()?, PATIENCE)
    }
}

/// One part of the shop that runs on `data`, called as its operator.
///
/// # Errors
/// When the part is not in the list, or the operator's key cannot be read.
pub fn peer(data: &Path, addresses: &Addresses, name: &'static str) -> anyhow::Result<Peer> {
    peer_at(data, name, addresses.url(name)?, PATIENCE)
}

/// The part at `url`, called as the operator of the shop in `data` or with the token of the environment.
///
/// # Errors
/// When the operator's key cannot be read.
pub fn peer_at(data: &Path, name: &'static str, url: &str, patience: Duration) -> anyhow::Result<Peer> {
    let peer = match identities::operator(data)? {
        Some(operator) => operator.peer(name, url, patience),
        // Nobody in particular: the door says what it wants.
        None => Peer::new(name, url, patience),
    };
    Ok(if name == GATEWAY { peer.waiting_its_turn() } else { peer })
}
