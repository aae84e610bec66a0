//! A bus that remembers what it was given.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bus::{Bus, BusError, Outgoing, Published};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Takes every message, unless it is told to refuse.
#[derive(Debug, Default)]
pub struct SimulatedBus {
    taken: Mutex<Vec<Outgoing>>,
    refusing: AtomicBool,
}

impl SimulatedBus {
    /// Refuses (or takes again) what comes from now on, as if Pub/Sub were out of reach.
    pub fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::SeqCst);
    }

    /// Everything taken so far, in order.
    pub fn taken(&self) -> Vec<Outgoing> {
        self.taken.lock().expect("no test panics while it holds the bus").clone()
    }
}

impl Bus for SimulatedBus {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        let answers = if self.refusing.load(Ordering::SeqCst) {
            batch.iter().map(|_| Err(BusError::Unavailable("told to refuse".to_owned()))).collect()
        } else {
            let answers = batch.iter().map(|_| Ok(())).collect();
            self.taken.lock().expect("no test panics while it holds the bus").extend(batch);
            answers
        };
        std::future::ready(answers).boxed()
    }
}
