//! One run: a seed's scenario from its first request until everything has come to rest, and what was wrong then.

use std::rc::Rc;
use std::sync::Arc;

use runtime::simulation;
use serde::Serialize;
use store::StoreError;
use tokio::runtime::Builder;
use tracing::subscriber::NoSubscriber;

use crate::actors;
use crate::chance::Chance;
use crate::deliveries::deliver;
use crate::hooks::{Hooks, NoHooks};
use crate::memory::Memory;
use crate::rest::unrest;
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::tally::Tally;
use crate::time::{TimeAndIds, wait};
use crate::topics::provision;
use crate::verdict::violations;
use crate::weather::Weather;
use crate::world::{World, locked};

/// How often it is looked whether all is at rest, in milliseconds of the run.
const LOOK_MS: u64 = 1_000;
/// A run that has not come to rest so long after the weather cleared has something stuck. Longer than any wait of any service.
const PATIENCE_MS: u64 = 40 * 60_000;

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Which run.
    pub seed: u64,
    /// What was wrong; empty when every invariant held.
    pub violations: Vec<String>,
    /// What was counted.
    pub tally: Tally,
    /// Hash of everything that happened, in order. Two runs of a seed have the same.
    pub hash: u64,
    /// Everything that happened, if that was wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
}

/// How a run is to be.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) keeps_trace: bool,
    pub(crate) hooks: Arc<dyn Hooks>,
}

impl Default for Options {
    fn default() -> Self {
        Self { keeps_trace: false, hooks: Arc::new(NoHooks) }
    }
}

impl Stage {
    /// Runs a seed.
    ///
    /// # Panics
    /// When the stage itself is broken: a database in memory that refuses what only a mistake in this crate makes it refuse.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_with(seed, &Options::default())
    }

    /// Runs a seed and keeps what happened, line by line.
    ///
    /// # Panics
    /// As [`Stage::run`].
    pub fn trace(&self, seed: u64) -> Outcome {
        self.run_with(seed, &Options { keeps_trace: true, ..Options::default() })
    }

    pub(crate) fn run_with(&self, seed: u64, options: &Options) -> Outcome {
        // Services log what goes wrong, and here much does.
        let _silence = tracing::subscriber::set_default(NoSubscriber::default());
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without input and output needs nothing but memory");
        runtime.block_on(self.live(seed, options)).expect("the stage's databases work")
    }

    async fn live(&self, seed: u64, options: &Options) -> Result<Outcome, StoreError> {
        let scenario = Scenario::draw(seed);
        self.reset(scenario.units).await?;
        let world = Arc::new(World::new(seed, self.houses(), Arc::clone(&options.hooks), options.keeps_trace));
        provision(&mut locked(&world.pubsub)).expect("the topology table fits Pub/Sub");
        let _inside = simulation::enter(Rc::new(TimeAndIds::new(world.clock, Chance::new(seed, 3))));
        world.set_up(&scenario);
        world.start_all();
        tokio::spawn(deliver(Arc::clone(&world)));
        let memory = Arc::new(Memory::default());
        let clients = actors::start(&world, &memory, &scenario);
        wait(scenario.storm_ms).await;
        for client in clients {
            client.await.expect("clients do not panic");
        }
        let restless = self.settle(&world).await?;
        // What is checked is what was, not what the weather does to the checks.
        world.set_weather(Weather::default());
        let mut wrong = violations(&world, self, memory.told()).await.unwrap_or_else(|unreadable| vec![unreadable]);
        wrong.extend(restless.map(|what| format!("not at rest: {what}")));
        world.count(|tally| tally.simulated_ms = world.clock.since_start_ms());
        world.end();
        let (hash, steps, trace) = world.take_trace();
        world.count(|tally| tally.steps = steps);
        Ok(Outcome { seed, violations: wrong, tally: world.tally(), hash, trace })
    }

    /// Waits until all is at rest. What is not, when patience runs out.
    async fn settle(&self, world: &Arc<World>) -> Result<Option<String>, StoreError> {
        let until_ms = world.clock.since_start_ms() + PATIENCE_MS;
        loop {
            let unrest = unrest(world, self).await?;
            if unrest.is_none() || world.clock.since_start_ms() >= until_ms {
                return Ok(unrest);
            }
            wait(LOOK_MS).await;
        }
    }
}
