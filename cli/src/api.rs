//! Requests of the command line to a running shop.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use runtime::Peer;

use crate::addresses::{Addresses, GATEWAY};

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
    /// The gateway.
    ///
    /// # Errors
    /// When no shop runs in the data folder and no URL was given.
    pub fn gateway(&self) -> anyhow::Result<Peer> {
        match &self.gateway {
            Some(url) => Ok(Peer::new(GATEWAY, url, PATIENCE)),
            None => peer(&Addresses::load(&self.data)?, GATEWAY),
        }
    }
}

/// One part of a running shop.
///
/// # Errors
/// When the part is not in the list.
pub fn peer(addresses: &Addresses, name: &'static str) -> anyhow::Result<Peer> {
    Ok(Peer::new(name, addresses.url(name)?, PATIENCE))
}
