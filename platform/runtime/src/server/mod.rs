//! An HTTP/1.1 server with limits: on time, on sizes, on connections and on requests under way; and with an orderly end.
//!
//! Whatever a client sends or leaves out, a connection costs at most the memory of its [`Limits`] and ends by itself.

mod answer;
mod limits;
mod pace;
mod places;
mod slow_body;
mod visits;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use self::pace::{Paced, Turn};
use self::places::Places;
use self::visits::Visits;

pub use self::limits::{Limits, Networks};
pub use self::places::network;
pub use self::slow_body::TooSlow;
pub(crate) use self::slow_body::was_too_slow;

/// How long requests under way may take once the server is told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(20);
/// Wait after the listener failed, for want of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router` on `listener` with [`Limits::of_service`].
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, router: Router) -> std::io::Result<Self> {
        Self::with(listener, router, Limits::of_service())
    }

    /// Serves `router` on `listener`. Handlers find the client's address as `ConnectInfo<SocketAddr>`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn with(listener: TcpListener, router: Router, limits: Limits) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(House::new(router, limits).serve(listener, stopped));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses new connections and requests, finishes those under way, and returns.
    pub async fn stop(self) {
        // The receiver lives in the task; if that has ended there is nothing to stop.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            warn!(%error, "the server ended badly");
        }
    }
}

/// What all connections share.
struct House {
    limits: Limits,
    http: http1::Builder,
    room: Arc<Semaphore>,
    places: Places,
    visits: Arc<Visits>,
    graceful: GracefulShutdown,
}

impl House {
    fn new(router: Router, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        // Time is kept by `Paced`: hyper's own timer for heads runs while a connection is idle, too. The buffer holds a head.
        http.timer(TokioTimer::new()).header_read_timeout(None).keep_alive(true);
        http.max_headers(limits.headers).max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes);
        Self {
            http,
            room: Arc::new(Semaphore::new(limits.connections)),
            places: Places::new(limits.connections_per_network, limits.unlimited.clone()),
            visits: Arc::new(Visits::new(router, &limits)),
            graceful: GracefulShutdown::new(),
            limits,
        }
    }

    async fn serve(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let place = tokio::select! {
                place = Arc::clone(&self.room).acquire_owned() => place.expect("the semaphore is never closed"),
                _ = stopped.changed() => break,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, from)) => self.welcome(stream, from, place),
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        if tokio::time::timeout(FINISH_WITHIN, self.graceful.shutdown()).await.is_err() {
            warn!("requests were still under way at the end");
        }
    }

    /// Serves one connection, unless its network has enough of them.
    fn welcome(&self, stream: TcpStream, from: SocketAddr, place: OwnedSemaphorePermit) {
        let address: IpAddr = from.ip().to_canonical();
        let Some(own_place) = self.places.take(address) else {
            debug!("a connection too many from one network");
            return;
        };
        // Nagle's algorithm only delays answers; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        let turn = Turn::default();
        let stream = TokioIo::new(Paced::new(stream, turn.clone(), &self.limits));
        let visits = Arc::clone(&self.visits);
        let from = SocketAddr::new(address, from.port());
        let service = hyper::service::service_fn(move |request| Arc::clone(&visits).visit(request, from, turn.clone()));
        let connection = self.graceful.watch(self.http.serve_connection(stream, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
            drop((place, own_place));
        });
    }
}
