//! The gateway at work: no database, no events, only doors.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use runtime::server::{Limits, Server};
use runtime::{Identity, StartError};
use tokio::net::TcpListener;
use tracing::info;

use crate::config::Config;
use crate::door::Gateway;
use crate::streams::Streams;

/// The service's name.
pub const NAME: &str = "gateway";

/// Bytes of a request's head: a token of 8 KiB and what else browsers and proxies send.
const HEAD_BYTES: usize = 24 * 1024;
/// Header fields of a request.
const HEADERS: usize = 64;

/// A running gateway.
pub struct Running {
    server: Server,
    streams: Arc<Streams>,
}

/// Listens; port 0 takes a free one. Services are called as `identity`.
///
/// # Errors
/// [`StartError::Listen`] when the address is taken or forbidden, [`StartError::Config`] when the issuer's settings are none.
pub async fn start(listen: SocketAddr, config: Config, identity: &Identity) -> Result<Running, StartError> {
    let refused = |cause| StartError::Listen { address: listen, cause };
    let gateway = Gateway::new(&config, identity)?;
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let server = Server::with(listener, gateway.router(), limits(&config)).map_err(refused)?;
    info!(service = NAME, address = %server.address(), "listening");
    Ok(Running { server, streams: gateway.streams() })
}

/// What one client may cost: anybody may connect.
fn limits(config: &Config) -> Limits {
    let proxies = config.proxies.clone();
    Limits {
        connections_per_network: config.connections_per_address,
        unlimited: Arc::new(move |address| proxies.has(address)),
        head_bytes: HEAD_BYTES,
        headers: HEADERS,
        head_time: Duration::from_millis(config.head_timeout_ms),
        body_time: Duration::from_millis(config.body_timeout_ms),
        ..Limits::default()
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Refuses what is new and finishes what was accepted. Streams end; their clients come back where they were.
    pub async fn stop(self) {
        self.streams.close();
        self.server.stop().await;
    }
}
