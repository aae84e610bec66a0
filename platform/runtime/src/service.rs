//! A service from its parts: database, transactor, REST doors, consumer, work of its own; started and stopped in order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::{Json, Router};
use bus::Bus;
use events::Timestamp;
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use store::{Database, Migration, Preparation, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::attempts;
use crate::clock;
use crate::config::ConfigError;
use crate::delivery::Deliveries;
use crate::doors::{Door, Doors, Identity, Listed};
use crate::metrics::{self, Metrics};
use crate::problem::Problem;
use crate::publisher::{Publisher, Publishing, Relay};
use crate::push;
use crate::reaction::Consumer;
use crate::replay;
use crate::server::Server;
use crate::story;
use crate::transactor::Transactor;
use crate::upkeep::{Chore, Upkeep};

/// Why a service did not start. Mend the cause and start again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database could not be opened or migrated.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is taken or forbidden.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it could not.
        cause: std::io::Error,
    },
}

/// What a service is given by whoever starts it.
#[derive(Clone)]
pub struct Base {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The service's own database.
    pub database: Database,
    /// The way to Pub/Sub.
    pub bus: Arc<dyn Bus>,
    /// Who it is when it calls, and whom it believes when it is called.
    pub identity: Identity,
}

/// What a service builds its doors on.
#[derive(Clone)]
pub struct Foundation {
    /// The service's name.
    pub name: &'static str,
    /// Transactions and their facts.
    pub transactor: Transactor,
    /// Who it is, for its calls.
    pub identity: Identity,
    /// What it counts and measures.
    pub metrics: Metrics,
}

impl Foundation {
    /// Opens the database.
    ///
    /// # Errors
    /// [`StartError::Store`].
    pub fn open(
        name: &'static str,
        base: &Base,
        migrations: &[Migration],
        publishing: Publishing,
    ) -> Result<Self, StartError> {
        Ok(Self::on(Store::open(&base.database, migrations)?, name, base, publishing))
    }

    /// Opens the database and does to its rows what SQL alone cannot; see [`Store::open_prepared`].
    ///
    /// # Errors
    /// [`StartError::Store`].
    pub fn open_prepared(
        name: &'static str,
        base: &Base,
        migrations: &[Migration],
        publishing: Publishing,
        preparation: Preparation<'_>,
    ) -> Result<Self, StartError> {
        Ok(Self::on(Store::open_prepared(&base.database, migrations, preparation)?, name, base, publishing))
    }

    fn on(store: Store, name: &'static str, base: &Base, publishing: Publishing) -> Self {
        let publisher = Publisher::new(name, store.clone(), Arc::clone(&base.bus), publishing);
        let transactor = Transactor::new(name, store, publisher);
        Self { name, transactor, identity: base.identity.clone(), metrics: Metrics::new(name) }
    }

    /// The service's database.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.transactor.store()
    }
}

/// A service, assembled and not yet started.
pub struct Service {
    foundation: Foundation,
    doors: Doors,
    deliveries: Option<Arc<Deliveries>>,
    chores: Vec<(Duration, Chore)>,
}

impl Service {
    /// A service with its REST doors.
    #[must_use]
    pub fn new(foundation: Foundation, doors: Doors) -> Self {
        Self { foundation, doors, deliveries: None, chores: Vec::new() }
    }

    /// Adds the consumer that `POST /` delivers to.
    #[must_use]
    pub fn consumer(mut self, consumer: Consumer) -> Self {
        let deliveries = Deliveries::new(consumer, self.foundation.transactor.clone());
        self.deliveries = Some(Arc::new(deliveries.measured(&self.foundation.metrics)));
        self
    }

    /// Every door it has, those of the runtime too.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.all_doors().list().cloned().collect()
    }

    /// Adds work that is done every `period` from the start until the end, and with every minute the consumer hears: where there is CPU
    /// only during requests, the timer stands still. A run ends before the next begins.
    #[must_use]
    pub fn every<F, Fut>(mut self, period: Duration, work: F) -> Self
    where
        F: Fn(Timestamp) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.chores.push((period, Chore::new(work)));
        self
    }

    /// Listens, and begins to relay what an earlier run left in the outbox.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub fn start(self, listen: SocketAddr) -> BoxFuture<'static, Result<Running, StartError>> {
        Box::pin(self.begin(listen))
    }

    async fn begin(self, listen: SocketAddr) -> Result<Running, StartError> {
        let refused = |cause| StartError::Listen { address: listen, cause };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let open = self.open();
        let server = Server::start(listener, open.router.clone()).map_err(refused)?;
        info!(service = open.foundation.name, address = %server.address(), "listening");
        Ok(Running { open, server })
    }

    /// Begins to relay and to do its periodic work, and gives the doors to whoever brings the requests. Within a tokio runtime.
    #[must_use]
    pub fn open(self) -> Open {
        let router = self.all_doors().open(&self.foundation.identity);
        let Self { foundation, chores, .. } = self;
        let relay = foundation.transactor.publisher().start_relay();
        let (stop, stopped) = watch::channel(false);
        let timed = |(period, chore)| tokio::spawn(repeat(period, chore, stopped.clone()));
        let chores = chores.into_iter().map(timed).collect();
        Open { foundation, router, relay, stop, chores }
    }

    fn all_doors(&self) -> Doors {
        let Self { foundation, doors, deliveries, chores } = self;
        let store = foundation.store().clone();
        let doors = doors
            .clone()
            .merge(story::doors(store.clone()))
            .merge(attempts::doors(foundation.name, store))
            .merge(health(foundation))
            .merge(metrics_page(foundation));
        let doors = match deliveries {
            None => doors,
            Some(deliveries) => {
                let at_every_minute = chores.iter().map(|(_, chore)| chore.clone()).collect();
                let upkeep = Upkeep::new(foundation.transactor.clone(), at_every_minute);
                doors.merge(push::doors(Arc::clone(deliveries), upkeep)).merge(replay::doors(Arc::clone(deliveries)))
            }
        };
        doors.describing_themselves(foundation.name)
    }
}

async fn repeat(period: Duration, chore: Chore, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            // In this order, so that a run is the same every time: chance would choose otherwise.
            biased;
            _ = stopped.changed() => break,
            () = tokio::time::sleep(period) => chore.run(clock::now()).await,
        }
    }
}

/// `/health` says the process lives; `/ready` says it can do its work.
fn health(foundation: &Foundation) -> Doors {
    let service = foundation.name;
    let alive = move || async move { Json(Alive { status: "ok", service }) };
    Doors::new()
        .get("/health", alive, Door::of("Whether it lives").to_anyone())
        .get("/ready", ready, Door::of("Whether it can do its work").to_anyone())
        .with_state(foundation.clone())
}

/// The page of metrics.
fn metrics_page(foundation: &Foundation) -> Doors {
    let help = "Age of the oldest event that was committed and not yet published.";
    let age = foundation.metrics.gauge("boutique_outbox_oldest_unsent_seconds", help, &[]);
    let refused =
        foundation.metrics.counter("boutique_metrics_failures_total", "Pages made without the database.", &[]);
    let store = foundation.store().clone();
    let refresh = move || -> BoxFuture<'static, ()> {
        let (store, age, refused) = (store.clone(), age.clone(), refused.clone());
        Box::pin(async move {
            match oldest_unsent_age_ms(&store).await {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of ages are far below 2^53")]
                Ok(age_ms) => age.set(age_ms as f64 / 1_000.0),
                Err(error) => {
                    // The page shows the last age that was known, and that it is not today's.
                    refused.increment(1);
                    warn!(%error, "the age of the outbox cannot be read");
                }
            }
        })
    };
    metrics::doors(foundation.metrics.clone(), Some(Arc::new(refresh)))
}

async fn oldest_unsent_age_ms(store: &Store) -> Result<i64, StoreError> {
    let oldest = store.read(store::outbox::oldest_unsent_ms).await?;
    Ok(oldest.map_or(0, |at_ms| (clock::now_ms() - at_ms).max(0)))
}

/// A service that lives.
#[derive(Serialize, JsonSchema)]
struct Alive {
    /// `ok`.
    status: &'static str,
    /// Its name.
    service: &'static str,
}

/// A service that can do its work.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Ready {
    /// `ready`.
    status: &'static str,
    /// Its name.
    service: &'static str,
    /// How long the oldest fact has waited to be published, in milliseconds; 0 when none waits.
    oldest_unsent_age_ms: i64,
}

async fn ready(State(foundation): State<Foundation>) -> Result<Json<Ready>, Problem> {
    let oldest_unsent_age_ms = oldest_unsent_age_ms(foundation.store()).await?;
    Ok(Json(Ready { status: "ready", service: foundation.name, oldest_unsent_age_ms }))
}

/// A service at work, without a listener.
pub struct Open {
    foundation: Foundation,
    router: Router,
    relay: Relay,
    stop: watch::Sender<bool>,
    chores: Vec<JoinHandle<()>>,
}

impl Open {
    /// Its doors: REST, push and health.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Ends as a process does that is killed: nothing is finished, no mark is written, the database is left as it is.
    pub fn kill(self) {
        for chore in &self.chores {
            chore.abort();
        }
        self.relay.kill();
    }

    async fn end(self) {
        // Without receivers there is no chore to stop.
        let _ = self.stop.send(true);
        for chore in self.chores {
            // A chore that panicked has been logged by the panic hook.
            let _ = chore.await;
        }
        self.relay.stop().await;
        self.foundation.store().clone().close().await;
    }
}

/// A running service.
pub struct Running {
    open: Open,
    server: Server,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.open.foundation.name
    }

    /// Refuses what is new, finishes what was accepted, and gives the database back.
    pub fn stop(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.server.stop().await;
            self.open.end().await;
        })
    }
}
