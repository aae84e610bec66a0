//! The way of one process to its database: a job refused, a commit that fails, a death before, between and after.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{Fate, Gate, StoreError, Tx};

use crate::life::{Life, Place};
use crate::time::wait;
use crate::world::World;

/// Watches one process's jobs.
pub(crate) struct Watch {
    world: Arc<World>,
    life: Arc<Life>,
    /// The process dies as soon as the commit that it is in has been made.
    doomed: AtomicBool,
}

impl Watch {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life), doomed: AtomicBool::new(false) }
    }
}

impl Gate for Watch {
    fn enter(&self) -> Fate {
        if self.life.is_over() || self.world.dies(&self.life, Place::BeforeTransaction) {
            return Fate::Never;
        }
        if self.world.happens(|weather| weather.busy) {
            self.world.note(format_args!("busy {}", self.life.service));
            self.world.count(|tally| tally.refused += 1);
            return Fate::Refused(StoreError::Busy { reason: "another connection has it".to_owned() });
        }
        Fate::Runs
    }

    fn leave(&self, tx: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError> {
        let (world, service) = (&self.world, self.life.service);
        world.count(|tally| tally.transactions += 1);
        world.hooks.before_commit(world, service, tx, keeps);
        if !keeps {
            return Ok(false);
        }
        if world.dies(&self.life, Place::BeforeCommit) {
            return Ok(false);
        }
        if world.happens(|weather| weather.commit_fails) {
            world.note(format_args!("commit of {service} fails"));
            world.count(|tally| tally.refused += 1);
            return Err(StoreError::DiskFull { reason: "no space left".to_owned() });
        }
        self.doomed.store(world.happens(|weather| weather.crash), Ordering::Relaxed);
        Ok(true)
    }

    fn undone(&self, tx: &mut Tx<'_>) {
        self.world.hooks.undone(self.life.service, tx);
    }

    fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if self.doomed.swap(false, Ordering::Relaxed) {
            let down_ms = self.world.between(50, 5_000);
            self.world.kill(&self.life, Place::AfterCommit, down_ms);
        }
        let life = Arc::clone(&self.life);
        let takes_ms = self.world.length_ms(|weather| weather.store_ms);
        Box::pin(async move {
            wait(takes_ms).await;
            life.go_on().await;
        })
    }
}
