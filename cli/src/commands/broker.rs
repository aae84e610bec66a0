//! `boutique broker`

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use broker::warehouse::{Folder, Warehouse};
use broker::{Broker, Settings};
use clap::Args;

use crate::faults::{self, Fault};

/// Run the Pub/Sub broker alone.
///
/// Point clients to it with PUBSUB_EMULATOR_HOST, or with `$(gcloud beta emulators pubsub env-init --data-dir=DIR)`, as for the emulator
/// of the Google Cloud SDK. Everything it has answered is on disk.
#[derive(Args)]
pub struct BrokerArgs {
    /// Address to listen on, as in localhost:8085. Port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8085", value_parser = host_port)]
    host_port: SocketAddr,
    /// Folder for messages and subscriptions
    #[arg(long, value_name = "DIR", default_value = "data/broker")]
    data: PathBuf,
    /// Folder of tables that BigQuery subscriptions write to
    #[arg(long, value_name = "DIR")]
    warehouse: Option<PathBuf>,
    /// BigQuery, or what speaks its REST API, that BigQuery subscriptions write to
    #[cfg(feature = "bigquery")]
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "warehouse")]
    bigquery: Option<String>,
    /// For tests: no slow start, no wait longer than a second after failures
    #[arg(long)]
    fast: bool,
    /// Go wrong on purpose, for tests of subscribers: duplicate=SHARE, drop-acks=SHARE, delay=MILLISECONDS, seed=NUMBER
    ///
    /// Shares are from 0 to 1. A duplicate is an acked message that comes once more; a dropped ack is answered and forgotten.
    #[arg(long = "fault", value_name = "NAME=VALUE", value_parser = faults::parse)]
    faults: Vec<Fault>,
}

/// A name or an address, and a port.
fn host_port(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{error}; expected HOST:PORT"))?.peekable();
    let first = found.peek().copied();
    found.find(SocketAddr::is_ipv4).or(first).ok_or_else(|| "the name has no address".to_owned())
}

pub(super) async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    let faults = faults::settings(&args.faults);
    let warehouse = warehouse(&args).await?;
    let settings = Settings {
        listen: args.host_port,
        data: args.data.clone(),
        fast: args.fast,
        faults,
        warehouse,
        ..Settings::default()
    };
    let broker = Broker::start(settings).await.context("cannot start the broker")?;
    let address = broker.address();
    // Where the Google Cloud SDK looks for it. A full disk is no reason not to serve what is on it.
    if let Err(error) = std::fs::write(args.data.join("env.yaml"), format!("PUBSUB_EMULATOR_HOST: {address}\n")) {
        eprintln!("cannot write env.yaml into the data folder: {error}");
    }
    println!("PUBSUB_EMULATOR_HOST={address}");
    // Scripts made for the emulator wait for this line.
    eprintln!("Server started, listening on {}", address.port());
    if args.fast {
        eprintln!("fast: no slow start, no wait longer than a second");
    }
    if faults.any() {
        eprintln!("faults on purpose: {faults:?}");
    }
    super::serve::asked_to_stop().await?;
    broker.shutdown().await;
    Ok(())
}

/// Where BigQuery subscriptions write to.
async fn warehouse(args: &BrokerArgs) -> anyhow::Result<Option<Arc<dyn Warehouse>>> {
    #[cfg(feature = "bigquery")]
    if let Some(endpoint) = &args.bigquery {
        return Ok(Some(Arc::new(bigquery::BigQuery::open(endpoint).await?)));
    }
    let Some(directory) = &args.warehouse else { return Ok(None) };
    let folder =
        Folder::open(directory).with_context(|| format!("cannot use the warehouse {}", directory.display()))?;
    Ok(Some(Arc::new(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_will_do_for_an_address() {
        assert_eq!(host_port("localhost:8085").map(|a| (a.ip().is_loopback(), a.port())), Ok((true, 8085)));
        assert_eq!(host_port("[::1]:0").map(|a| a.is_ipv6()), Ok(true));
        assert!(host_port("8085").is_err() && host_port("").is_err());
    }
}
