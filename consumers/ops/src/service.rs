//! The service from its parts.

use std::sync::Arc;

use bus::Letters;
use events::topology;
use runtime::{Base, Doors, Foundation, Publishing, Service, StartError, clock};
use store::Store;

use crate::config::Config;
use crate::doors;
use crate::ingest::Ingest;
use crate::limits::{INGEST_PERIOD, PURGE_PERIOD, REPLAY_PERIOD};
use crate::migrations::MIGRATIONS;
use crate::peers::Peers;
use crate::plan::Planner;
use crate::purge::Purge;
use crate::replay::Replays;

/// The service's name.
pub const NAME: &str = "ops";

/// What ops is made of, for whoever drives it by hand.
#[derive(Clone)]
pub struct Parts {
    /// Takes letters in.
    pub ingest: Ingest,
    /// Carries replays on.
    pub replays: Replays,
    /// Forgets what is old.
    pub purge: Purge,
    /// The REST doors.
    pub doors: Doors,
    /// The database.
    pub store: Store,
}

/// The service, ready to start. `letters` is where dead letters are pulled from.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config, letters: Arc<dyn Letters>) -> Result<Service, StartError> {
    let (foundation, parts) = assemble(base, &config, letters)?;
    let (replays, purge) = (parts.replays.clone(), parts.purge.clone());
    let service = Service::new(foundation, parts.doors).every(REPLAY_PERIOD, move |_| {
        let replays = replays.clone();
        async move { replays.tick(clock::now).await }
    });
    let mut service = service.every(PURGE_PERIOD, move |now| {
        let purge = purge.clone();
        async move { purge.run(now.as_millisecond()).await }
    });
    for consumer in topology::consumers() {
        let ingest = parts.ingest.clone();
        service = service.every(INGEST_PERIOD, move |now| {
            let ingest = ingest.clone();
            async move {
                ingest.take(consumer, now.as_millisecond()).await;
            }
        });
    }
    Ok(service)
}

/// The parts of the service, which do nothing by themselves.
///
/// # Errors
/// As [`service`].
pub fn parts(base: &Base, config: &Config, letters: Arc<dyn Letters>) -> Result<Parts, StartError> {
    assemble(base, config, letters).map(|(_, parts)| parts)
}

fn assemble(base: &Base, config: &Config, letters: Arc<dyn Letters>) -> Result<(Foundation, Parts), StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let store = foundation.store().clone();
    let peers = Peers::new(config, &foundation.identity);
    let replays = Replays::new(store.clone(), Arc::clone(&base.bus), peers.clone(), config);
    let plan_life_ms = i64::try_from(config.plan_life.as_millis()).unwrap_or(i64::MAX);
    let planner = Planner { store: store.clone(), peers: peers.clone(), plan_life_ms };
    let settle_patience_ms = i64::try_from(config.settle_patience.as_millis()).unwrap_or(i64::MAX);
    let doors = doors::doors(store.clone(), peers.clone(), planner, settle_patience_ms);
    let ingest = Ingest::new(store.clone(), letters, peers);
    let purge = Purge::new(store.clone());
    Ok((foundation, Parts { ingest, replays, purge, doors, store }))
}
