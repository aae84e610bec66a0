//! Figure 6: start of one service to its first 200, from the making of the process on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use runtime::clock::Stopwatch;
use serde::Serialize;

use crate::addresses;
use crate::bench::child::Process;
use crate::bench::numbers::Spread;
use crate::bench::run::Run;
use crate::bench::shop::Shop;
use crate::identities;
use crate::stack::LOCAL_PROJECT;

/// The service that is started.
const SERVICE: &str = "crm";
/// Between two tries to connect.
const TRY_EVERY: Duration = Duration::from_micros(300);
/// A service that takes longer does not start.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);

/// Starts of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The service.
    pub service: &'static str,
    /// With the database of an earlier run, in milliseconds.
    pub start_ms: Spread,
    /// The very first start, which makes the database, in milliseconds. Not in the median.
    pub first_ms: f64,
}

/// Starts the service again and again.
///
/// # Errors
/// When it does not start.
pub async fn measure(run: &mut Run, shop: &Shop, folder: &Path) -> anyhow::Result<Start> {
    run.progress.stage(format!("start: {SERVICE} to its first 200"));
    let database = format!("sqlite:{}", folder.join("start").display());
    let broker = shop.broker()?;
    let mut settings = identities::settings(folder, broker.parse()?)?;
    settings.push((crm::PERSONAL_KEY.to_owned(), crm::MasterKey::generate()));
    let first_ms = once(&database, &settings).await?;
    let mut starts = Vec::new();
    for _ in 0..run.settings.starts {
        starts.push(once(&database, &settings).await?);
    }
    Ok(Start { service: SERVICE, start_ms: Spread::of(starts), first_ms })
}

async fn once(database: &str, settings: &[(String, String)]) -> anyhow::Result<f64> {
    let listen = free_address()?;
    let watch = Stopwatch::start();
    let mut process = Process::start(&["serve", SERVICE], |command| {
        command
            .env("BOUTIQUE_LISTEN", listen.to_string())
            .env("BOUTIQUE_DATABASE", database)
            .env("BOUTIQUE_PROJECT", LOCAL_PROJECT)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env_remove("DATABASE_URL");
    })?;
    let took = tokio::task::spawn_blocking(move || first_200(listen, watch)).await?;
    if let Some(status) = process.ended() {
        bail!("`boutique serve {SERVICE}` ended at once ({status}): run it by hand to see why");
    }
    process.stop().await;
    Ok(took?.as_secs_f64() * 1_000.0)
}

/// An address that is free now; if another program takes it meanwhile, the service fails to start and says so.
///
/// # Errors
/// When none is free.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = addresses::free_listeners("127.0.0.1").next().context("no free port to listen on")?;
    Ok(listener.local_addr()?)
}

fn first_200(address: SocketAddr, watch: Stopwatch) -> anyhow::Result<Duration> {
    while watch.elapsed() < GIVE_UP_AFTER {
        if let Ok(stream) = TcpStream::connect(address)
            && let Ok(head) = ask(stream, address)
            && head.starts_with(b"HTTP/1.1 200")
        {
            return Ok(watch.elapsed());
        }
        std::thread::sleep(TRY_EVERY);
    }
    bail!("`boutique serve {SERVICE}` did not answer GET /health on {address} within {} s", GIVE_UP_AFTER.as_secs())
}

/// The first bytes of the answer to `GET /health`.
fn ask(mut stream: TcpStream, address: SocketAddr) -> anyhow::Result<[u8; 16]> {
    stream.set_read_timeout(Some(GIVE_UP_AFTER))?;
    write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0u8; 16];
    stream.read_exact(&mut head).context("the connection was closed")?;
    Ok(head)
}
