//! The simulation as a [`Bus`], for services that publish.

use std::sync::{Arc, Mutex, PoisonError};

use bus::{Bus, BusError, Outgoing, Published};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::SimulatedPubSub;
use super::message::Draft;
use super::refusal::{Code, Refusal};

/// Publishes into a simulation that someone else drives.
pub struct SimulatedDoor {
    pubsub: Arc<Mutex<SimulatedPubSub>>,
    project: String,
}

impl SimulatedDoor {
    /// A way into `pubsub`, to the topics of `project`.
    pub fn new(pubsub: Arc<Mutex<SimulatedPubSub>>, project: &str) -> SimulatedDoor {
        SimulatedDoor { pubsub, project: project.to_owned() }
    }

    pub(crate) fn pubsub(&self) -> &Arc<Mutex<SimulatedPubSub>> {
        &self.pubsub
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }
}

impl Bus for SimulatedDoor {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        let mut pubsub = self.pubsub.lock().unwrap_or_else(PoisonError::into_inner);
        let mut one = |out: Outgoing| {
            let topic = format!("projects/{}/topics/{}", self.project, out.topic);
            let draft = Draft { data: out.data, attributes: out.attributes, ordering_key: out.ordering_key };
            pubsub.publish(&topic, vec![draft]).map(drop).map_err(to_error)
        };
        let answers = batch.into_iter().map(&mut one).collect();
        std::future::ready(answers).boxed()
    }
}

fn to_error(refusal: Refusal) -> BusError {
    match refusal.code {
        Code::Unavailable => BusError::Unavailable(refusal.message),
        _ => BusError::Refused(refusal.message),
    }
}
