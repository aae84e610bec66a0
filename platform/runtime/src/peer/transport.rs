//! How requests get to a peer: pooled HTTP/1.1, through TLS to https addresses; in a simulated world its wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tls::{Connector, Tls};
use tokio::sync::OnceCell;

use super::Reply;
use crate::simulation::{self, Wire};

/// The largest answer accepted.
pub(super) const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Idle connections kept to one peer.
const MAX_IDLE: usize = 256;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// What broke an exchange.
pub(super) enum Broken {
    /// The connection, in words. Another try may help.
    Connection(String),
    /// The answer is larger than any of ours is meant to be.
    TooLarge,
}

/// How requests get there.
pub(super) enum Transport {
    /// To http addresses.
    Http(Client<HttpConnector, Full<Bytes>>),
    /// To addresses of which at least one is https.
    Https(Secure),
    /// A simulated network.
    Wire(Arc<dyn Wire>),
}

/// A client that is made with its first request: that is when it is read whom to trust.
pub(super) struct Secure {
    http: HttpConnector,
    tls: Arc<Tls>,
    client: OnceCell<Client<Connector, Full<Bytes>>>,
}

impl Transport {
    /// To `bases`, except for a peer that is made in a simulated world.
    pub(super) fn new(bases: &[String], timeout: Duration, tls: Arc<Tls>) -> Self {
        if let Some(wire) = simulation::wire() {
            return Self::Wire(wire);
        }
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(timeout));
        if bases.iter().any(|base| base.starts_with("https:")) {
            Self::Https(Secure { http, tls, client: OnceCell::new() })
        } else {
            Self::Http(client(http))
        }
    }

    /// One exchange, or what broke it.
    pub(super) async fn carry(&self, request: Request<Bytes>) -> Result<Reply, Broken> {
        let request = match self {
            Self::Wire(wire) => {
                let (head, body) = wire.carry(request).await.map_err(Broken::Connection)?.into_parts();
                return Ok(Reply { status: head.status, headers: head.headers, body });
            }
            Self::Http(client) => client.request(request.map(Full::new)),
            Self::Https(secure) => secure.client().await?.request(request.map(Full::new)),
        };
        let (head, body) = request.await.map_err(|error| Broken::of(&error))?.into_parts();
        match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
            Ok(body) => Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => Err(Broken::TooLarge),
            Err(error) => Err(Broken::of(&*error)),
        }
    }
}

impl Secure {
    async fn client(&self) -> Result<&Client<Connector, Full<Bytes>>, Broken> {
        let made = self.client.get_or_try_init(async || Ok(client(self.tls.connector(self.http.clone()).await?)));
        made.await.map_err(|error: std::io::Error| Broken::Connection(format!("nobody to trust: {error}")))
    }
}

impl Broken {
    fn of(error: &dyn std::error::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

fn client<C: Connect + Clone>(connector: C) -> Client<C, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(connector)
}
