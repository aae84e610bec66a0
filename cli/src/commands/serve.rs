//! `boutique serve`

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use bus::{Address, PubSub};
use clap::Args;
use clap::builder::PossibleValuesParser;
use runtime::config::Environment;

use crate::addresses::BROKER;
use crate::roster;

/// Run one service, configured by its environment: the command of a container.
///
/// Each service's variables are in its own README; who may call it, and as whom it calls, in platform/runtime/README.md.
///
/// Pub/Sub is Google's, with the credentials of the environment, unless PUBSUB_EMULATOR_HOST names a broker or emulator. SIGTERM stops it in order: what was
/// accepted is finished, what is new is refused.
#[derive(Args)]
pub struct ServeArgs {
    /// Which service
    #[arg(value_parser = PossibleValuesParser::new(roster::PARTS.iter().map(|part| part.name).filter(|name| *name != BROKER)))]
    service: String,
    /// Address to listen on; Cloud Run's PORT is honoured
    #[arg(long, value_name = "ADDRESS:PORT", env = "BOUTIQUE_LISTEN")]
    listen: Option<SocketAddr>,
    /// The service's database, sqlite:DIR or postgres://…; unless told, DATABASE_URL, and without it sqlite:data
    #[arg(long, value_name = "URL", env = "BOUTIQUE_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Google Cloud project of the topics
    #[arg(long, value_name = "ID", env = "BOUTIQUE_PROJECT", default_value = crate::stack::LOCAL_PROJECT)]
    project: String,
}

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    let listen = match args.listen {
        Some(listen) => listen,
        None => SocketAddr::from(([0, 0, 0, 0], environment.or("PORT", 8080)?)),
    };
    let database = args.database.as_deref().or_else(|| environment.text("DATABASE_URL")).unwrap_or("sqlite:data");
    let address = Address::new(&args.project, environment.text("PUBSUB_EMULATOR_HOST"));
    let bus = Arc::new(PubSub::connect(address).await.context("cannot prepare Pub/Sub")?);
    let worker = roster::start(&args.service, listen, database, bus, &environment).await?;
    asked_to_stop().await?;
    worker.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals cannot be listened to.
pub(super) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
