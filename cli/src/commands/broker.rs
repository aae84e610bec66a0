//! `boutique broker`

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use broker::{Broker, Settings};
use clap::Args;

/// Run the Pub/Sub broker alone.
///
/// Point clients to it with PUBSUB_EMULATOR_HOST. Everything it has answered is on disk.
#[derive(Args)]
pub struct BrokerArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8085")]
    host_port: SocketAddr,
    /// Folder for messages and subscriptions
    #[arg(long, value_name = "DIR", default_value = "data/broker")]
    data: PathBuf,
    /// For tests: no slow start, short waits after failures
    #[arg(long)]
    fast: bool,
}

pub(super) async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    let settings = Settings { listen: args.host_port, data: args.data, fast: args.fast, ..Settings::default() };
    let broker = Broker::start(settings).await.context("cannot start the broker")?;
    let mode = if args.fast { ", fast: no slow start, short waits" } else { "" };
    println!("PUBSUB_EMULATOR_HOST={}{mode}", broker.address());
    super::serve::asked_to_stop().await?;
    broker.shutdown().await;
    Ok(())
}
