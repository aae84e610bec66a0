//! The parts of the shop: their names and ports, and how each service is started from an environment.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use bus::PubSub;
use runtime::config::Environment;
use runtime::{Base, Identity, Running};
use store::Database;

/// A part of the shop.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name, as in `boutique serve NAME`.
    pub name: &'static str,
    /// Its port when everything runs on one machine.
    pub port: u16,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Nobody waits for it: it is told what happened, or tells the time.
    pub told: bool,
}

const fn part(name: &'static str, port: u16, purpose: &'static str) -> Part {
    Part { name, port, purpose, told: false }
}

const fn told(name: &'static str, port: u16, purpose: &'static str) -> Part {
    Part { name, port, purpose, told: true }
}

/// Every part, in the order an order meets them.
pub const PARTS: &[Part] = &[
    part("gateway", 8080, "the one door for clients"),
    part("checkout", 8081, "validates and confirms orders"),
    told("oms", 8082, "leads an order through its life"),
    told("accounting", 8083, "invoices and the ledger"),
    told("warehouse", 8084, "shipments"),
    part("broker", 8085, "Pub/Sub on this machine"),
    part("inventory", 8086, "stock of standard products"),
    told("fraud-bridge", 8087, "asks the fraud engine again"),
    part("crm", 8088, "customers and billing profiles"),
    part("furniture", 8089, "freight catalogue and its stock"),
    part("food", 8090, "food catalogue"),
    part("fraud-engine", 8091, "scores risk (an Azure VM in the cloud)"),
    told("scheduler", 8093, "says that a minute ended"),
    told("ops", 8092, "dead letters and their replay"),
];

/// Parts that are services with a database and events.
pub fn services() -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| !matches!(part.name, "gateway" | "broker"))
}

/// A part at work.
pub enum Worker {
    /// A service with a database.
    Service(Running),
    /// The gateway.
    Gateway(gateway::Running),
}

impl Worker {
    /// Stops it in order: what was accepted is finished.
    pub async fn stop(self) {
        match self {
            Worker::Service(running) => running.stop().await,
            Worker::Gateway(running) => running.stop().await,
        }
    }
}

/// Starts one service from its environment.
///
/// # Errors
/// When a setting is wrong, the database cannot be opened, or the address is taken.
pub async fn start(
    name: &str,
    listen: SocketAddr,
    database_url: &str,
    bus: Arc<PubSub>,
    environment: &Environment,
) -> anyhow::Result<Worker> {
    if name == gateway::NAME {
        let config = gateway::Config::from_environment(environment, listen)?;
        let identity = Identity::of_guest(name, environment)?;
        return Ok(Worker::Gateway(gateway::start(listen, config, &identity).await?));
    }
    let identity = Identity::from_environment(name, environment, listen)?;
    let base = Base { listen, database: Database::parse(database_url, name)?, bus: Arc::clone(&bus) as _, identity };
    // Opening a database blocks; it happens once, before the first request.
    let service = match name {
        "checkout" => checkout::service(&base, checkout::Config::from_environment(environment)?),
        "scheduler" => scheduler::service(&base, scheduler::Config::from_environment(environment)?),
        "oms" => oms::service(&base, oms::Config::from_environment(environment)?),
        "accounting" => accounting::service(&base, accounting::Config::from_environment(environment)?),
        "warehouse" => warehouse::service(&base, warehouse::Config::from_environment(environment)?),
        "inventory" => inventory::service(&base, inventory::Config::from_environment(environment)?),
        "fraud-bridge" => fraud_bridge::service(&base, fraud_bridge::Config::from_environment(environment)?),
        "ops" => ops::service(&base, ops::Config::from_environment(environment)?, bus),
        "crm" => crm::service(&base, crm::Config::from_environment(environment)?),
        "furniture" => furniture::service(&base, furniture::Config::from_environment(environment)?),
        "food" => food::service(&base, food::Config::from_environment(environment)?),
        "fraud-engine" => fraud_engine::service(&base, fraud_engine::Config::from_environment(environment)?),
        other => bail!("there is no service named {other}; `boutique serve --help` lists them"),
    };
    let service = service.with_context(|| format!("cannot start {name}"))?;
    Ok(Worker::Service(service.start(listen).await.with_context(|| format!("cannot start {name}"))?))
}
