//! Rulers: the least a machine must do for an order or an event, each a server in a process of its own.
//!
//! A figure is a ratio to its ruler, measured in the same run and in turns, so that it says the same on a slow machine, a fast one and a
//! noisy one.

mod inbox;
mod ord;
mod running;

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use axum::Router;
use clap::{Args, ValueEnum};
use runtime::server::Server;
use store::{Database, Migration, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::child::interrupted;

pub use inbox::pushes;
pub use running::{Address, Ruler};

/// Serves one ruler until standard input closes or the process is asked to stop.
///
/// Prints its address as one line of JSON.
#[derive(Debug, Args)]
pub struct RulerArgs {
    /// Which ruler
    #[arg(value_enum)]
    pub kind: RulerKind,
    /// Folder of its database
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// The rulers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RulerKind {
    /// An order: parse, commit the order and its outbox rows
    Ord,
    /// An event: parse the push, claim the inbox row, write one row
    Inbox,
}

impl RulerKind {
    /// Its name on the command line and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RulerKind::Ord => "ord",
            RulerKind::Inbox => "inbox",
        }
    }

    /// Where its requests go.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            RulerKind::Ord => "/orders",
            RulerKind::Inbox => "/",
        }
    }

    fn migrations(self) -> &'static [Migration] {
        match self {
            RulerKind::Ord => ord::MIGRATIONS,
            RulerKind::Inbox => inbox::MIGRATIONS,
        }
    }

    fn router(self, store: Store) -> Router {
        match self {
            RulerKind::Ord => ord::router(store),
            RulerKind::Inbox => inbox::router(store),
        }
    }
}

/// Serves a ruler.
///
/// # Errors
/// When its folder cannot be written or no port is free.
pub async fn run(args: RulerArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.data).with_context(|| format!("cannot make {}", args.data.display()))?;
    let path = args.data.join(format!("ruler-{}.db", args.kind.name()));
    let store = Store::open(&Database::Sqlite { path }, args.kind.migrations())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port to listen on")?;
    let server = Server::start(listener, args.kind.router(store.clone()))?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(&Address { address: server.address() })?)?;
    stdout.flush()?;
    drop(stdout);
    tokio::select! {
        () = stdin_closed() => {}
        () = interrupted() => {}
    }
    server.stop().await;
    store.close().await;
    Ok(())
}

/// Reading standard input blocks, so it has a thread; the end of the process ends it.
async fn stdin_closed() {
    let (tell, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut bytes = [0u8; 64];
        while matches!(std::io::stdin().read(&mut bytes), Ok(1..)) {}
        // Nobody listens once the process was asked to stop.
        let _ = tell.send(());
    });
    // A thread that died cannot see the end of the input any more: as good as closed.
    let _ = told.await;
}
