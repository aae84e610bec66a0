//! The whole shop in one process: the broker and every service, each on its own port, joined by the network only.
//!
//! Who is asked comes before who is told: a client waits for checkout and the edges, nobody waits for OMS, accounting, warehouse and
//! bridge, so these run on threads that stand back. In the cloud they are machines of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use broker::Broker;
use bus::provision::PushTo;
use bus::{Address, PubSub};
use events::topology;
use runtime::config::Environment;
use runtime::doors::push_to;

use crate::addresses::{Addresses, BROKER};
use crate::audit::Books;
use crate::background::Background;
use crate::identities;
use crate::raw_events;
use crate::roster::{self, Worker};

/// The Google Cloud project the local shop calls its own.
pub const LOCAL_PROJECT: &str = "local";

/// Requests a second, and at once, that this machine may send to its own gateway, unless its environment says otherwise.
const LOCAL_RATE: &str = "1000000";

/// How to run the shop.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Folder for everything that lasts.
    pub data: PathBuf,
    /// Where each part listens.
    pub addresses: Addresses,
    /// `sqlite:DIR` or `postgres://…`; `None` is SQLite below `data`.
    pub database_url: Option<String>,
    /// Wait between a shipment's creation and its dispatch, in milliseconds.
    pub dispatch_delay_ms: u64,
    /// Wait between a shipment's dispatch and its delivery, in milliseconds.
    pub deliver_delay_ms: u64,
    /// Deliveries under way per push subscription, at most.
    pub push_window: usize,
}

impl Plan {
    /// Where the services keep their tables.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data.display()))
    }

    /// The books, for the audit.
    #[must_use]
    pub fn books(&self) -> Books {
        Books { database_url: self.database_url(), data: self.data.clone() }
    }
}

/// A running shop.
pub struct Stack {
    data: PathBuf,
    broker: Broker,
    workers: Vec<Worker>,
    background: Background,
}

impl Stack {
    /// Starts the shop. What an earlier run left unfinished goes on at once.
    ///
    /// # Errors
    /// When another shop uses the folder or a port, or a part cannot start.
    pub async fn start(plan: &Plan) -> anyhow::Result<Self> {
        let folder = &plan.data;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let broker_address = plan.addresses.socket(BROKER)?;
        let project = Address::new(LOCAL_PROJECT, Some(&broker_address.to_string()));
        let settings = broker::Settings {
            listen: broker_address,
            data: folder.join("broker"),
            push_window: Some(plan.push_window),
            warehouse: Some(raw_events::open(folder)?),
            ..broker::Settings::default()
        };
        let broker = Broker::start(settings).await.context("cannot start the broker")?;
        // The first push carries a token.
        broker.prepare_to_sign();
        // Before anybody says anything: what is said on a topic is not heard by a subscription that is made later.
        bus::provision::provision(&project, &pushes(&plan.addresses)?, Some(&raw_events::table())).await?;
        let background = Background::start()?;
        let bus = Arc::new(PubSub::connect(project.clone()).await?);
        let connect = PubSub::connect(project.clone());
        let background_bus = Arc::new(background.run(async { Ok(connect.await?) }).await?);
        let environment = environment(plan, identities::settings(folder, broker.address())?);
        let mut workers = Vec::new();
        for part in roster::PARTS.iter().filter(|part| part.name != BROKER) {
            let (listen, database_url) = (plan.addresses.socket(part.name)?, plan.database_url());
            let bus = Arc::clone(if part.told { &background_bus } else { &bus });
            let environment = environment.clone();
            let start = async move { roster::start(part.name, listen, &database_url, bus, &environment).await };
            workers.push(if part.told { background.run(start).await? } else { start.await? });
        }
        plan.addresses.save(folder)?;
        write_pid(folder)?;
        Ok(Self { data: folder.clone(), broker, workers, background })
    }

    /// Stops everything in order: doors first, the broker last, nothing accepted is lost.
    pub async fn stop(self) {
        // The addresses name a shop that runs; a file that is gone already is as good.
        let _ = std::fs::remove_file(self.data.join("addresses.json"));
        let _ = std::fs::remove_file(self.data.join("boutique.pid"));
        for worker in self.workers {
            worker.stop().await;
        }
        self.broker.shutdown().await;
        drop(self.background);
    }
}

/// What the services of this shop would be told by their containers.
fn environment(plan: &Plan, identities: Vec<(String, String)>) -> Environment {
    let mut variables = identities::variables_of_here();
    // Everybody who can reach this shop is on this machine and has its one address; it may ask as much as all of them.
    for name in ["BOUTIQUE_RATE_ADDRESS_PER_S", "BOUTIQUE_RATE_ADDRESS_BURST"] {
        if !variables.iter().any(|(set, _)| set == name) {
            variables.push((name.to_owned(), LOCAL_RATE.to_owned()));
        }
    }
    variables.extend(identities);
    for (name, url) in plan.addresses.iter() {
        variables.push((format!("BOUTIQUE_{}_URL", name.replace('-', "_").to_uppercase()), url.to_owned()));
    }
    variables.push(("BOUTIQUE_DISPATCH_DELAY_MS".to_owned(), plan.dispatch_delay_ms.to_string()));
    variables.push(("BOUTIQUE_DELIVER_DELAY_MS".to_owned(), plan.deliver_delay_ms.to_string()));
    Environment::of(variables)
}

fn pushes(addresses: &Addresses) -> anyhow::Result<BTreeMap<&'static str, PushTo>> {
    let push = |name| Ok((name, push_to(name, format!("{}/", addresses.url(name)?))));
    topology::consumers().into_iter().map(push).collect()
}

fn write_pid(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join("boutique.pid");
    std::fs::write(&path, std::process::id().to_string()).with_context(|| format!("cannot write {}", path.display()))
}
