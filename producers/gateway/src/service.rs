//! The gateway at work: no database, no events, only doors.

use std::net::SocketAddr;

use runtime::server::Server;
use runtime::{Identity, StartError};
use tokio::net::TcpListener;
use tracing::info;

use crate::config::Config;
use crate::door;

/// The service's name.
pub const NAME: &str = "gateway";

/// A running gateway.
pub struct Running(Server);

/// Listens; port 0 takes a free one. Services are called as `identity`.
///
/// # Errors
/// [`StartError::Listen`] when the address is taken or forbidden.
pub async fn start(listen: SocketAddr, config: Config, identity: &Identity) -> Result<Running, StartError> {
    let refused = |cause| StartError::Listen { address: listen, cause };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let server = Server::start(listener, door::router(&config, identity)).map_err(refused)?;
    info!(service = NAME, address = %server.address(), "listening");
    Ok(Running(server))
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Refuses what is new and finishes what was accepted.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}
