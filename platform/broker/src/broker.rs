//! Starting and stopping.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use delivery::UNARY;
use futures::future::BoxFuture;
use tls::Tls;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::core::Core;
use crate::error::BrokerError;
use crate::identity::Identity;
use crate::limits::SHUTDOWN_SECONDS;
use crate::settings::Settings;
use crate::stats::{self, Stats};
use crate::{server, start, sweep};

/// A running broker. Dropping it is like `kill -9`: nothing published or acked is lost, but requests and pushes in
/// flight are cut off; [`Broker::shutdown`] lets them finish.
pub struct Broker {
    core: Arc<Core>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
    sweep: JoinHandle<()>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Broker {
    /// Reads the data directory, listens, and starts to push. Must be called inside a tokio runtime, which must
    /// outlive the broker.
    ///
    /// # Errors
    /// See [`BrokerError`]. Nothing is left running.
    pub fn start(settings: Settings) -> BoxFuture<'static, Result<Broker, BrokerError>> {
        Box::pin(Self::begin(settings))
    }

    async fn begin(settings: Settings) -> Result<Broker, BrokerError> {
        start::check(&settings)?;
        let listen = |source| BrokerError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let clock = Clock::new();
        let reading = settings.clone();
        let opened = tokio::task::spawn_blocking(move || start::open(&reading, clock)).await;
        let opened = opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let issuer = settings.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
        let core = Arc::new(Core {
            identity: Identity::new(&settings.data, issuer),
            tls: Tls::new(settings.push_roots.clone()),
            settings,
            clock,
            log: opened.log,
            dice: opened.dice,
            recent: opened.recent,
            topics: RwLock::new(opened.topics),
            subscriptions: RwLock::new(opened.subscriptions),
            snapshots: RwLock::new(opened.snapshots),
            schemas: RwLock::new(opened.schemas),
            last_number: AtomicU32::new(opened.last_number),
            last_owner: AtomicU64::new(UNARY),
            stopping: watch::Sender::new(false),
            pushers: tokio::sync::Mutex::new(HashMap::new()),
        });
        for subscription in core.all_subscriptions() {
            core.refresh_pusher(&subscription).await;
        }
        let server = Some(tokio::spawn(server::run(Arc::clone(&core), listener)));
        let sweep = tokio::spawn(sweep::run(Arc::clone(&core)));
        tracing::info!(%address, data = %core.settings.data.display(), fast = core.settings.fast, "broker started");
        Ok(Broker { core, address, server, sweep, writer: Some(opened.writer) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the key of push tokens in the background, if there is none yet: whoever knows that pushes will carry tokens need not wait for
    /// it with the first of them.
    pub fn prepare_to_sign(&self) {
        let core = Arc::clone(&self.core);
        tokio::spawn(async move {
            if let Err(error) = core.identity.key().await {
                // The first push that needs it tries again.
                tracing::warn!(%error, "the key that signs push tokens can be neither read nor made");
            }
        });
    }

    /// Figures per subscription.
    pub fn stats(&self) -> Stats {
        stats::collect(&self.core)
    }

    /// Takes no more requests, starts no more pushes, waits up to ten seconds for those in flight, and leaves
    /// everything on disk.
    pub fn shutdown(self) -> BoxFuture<'static, ()> {
        Box::pin(self.end())
    }

    async fn end(mut self) {
        self.core.stopping.send_replace(true);
        if let Some(server) = self.server.take() {
            // It limits itself; its failure would be a panic, already reported.
            let _ = server.await;
        }
        let limit = Duration::from_secs(SHUTDOWN_SECONDS);
        let pushers: Vec<_> = self.core.pushers.lock().await.drain().map(|(_, pusher)| pusher).collect();
        let ending = pushers.into_iter().map(|mut pusher| async move {
            if tokio::time::timeout(limit, &mut pusher).await.is_err() {
                pusher.abort();
            }
        });
        futures::future::join_all(ending).await;
        self.core.log.stop();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was reported where it happened.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.core.stopping.send_replace(true);
        if let Some(server) = &self.server {
            server.abort();
            if let Ok(mut pushers) = self.core.pushers.try_lock() {
                for (_, pusher) in pushers.drain() {
                    pusher.abort();
                }
            }
        }
        self.sweep.abort();
        self.core.log.stop();
    }
}
