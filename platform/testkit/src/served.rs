//! A router on a port.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use runtime::server::Server;
use tokio::net::TcpListener;

/// A router that is served for as long as this lives.
pub struct Served(Server);

impl Served {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Serves `router` on a free port of this machine.
///
/// # Panics
/// When there is none.
pub async fn serve(router: Router) -> Served {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    Served(Server::start(listener, router).expect("a listener has an address"))
}
