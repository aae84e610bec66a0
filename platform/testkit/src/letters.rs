//! Dead letters of the simulation, pulled as from Pub/Sub.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{BusError, Letter, Letters, Receipt};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::pubsub::{SimulatedDoor, SimulatedPubSub};

/// The most one pull takes, whatever is asked.
const MAX_PULL: usize = 1_000;

impl Letters for SimulatedDoor {
    /// Does not wait: time passes only when the simulation is driven.
    fn pull<'a>(
        &'a self,
        subscription: &'a str,
        most: usize,
        _patience: Duration,
    ) -> BoxFuture<'a, Result<Vec<Letter>, BusError>> {
        let name = format!("projects/{}/subscriptions/{subscription}", self.project());
        let most = i32::try_from(most.min(MAX_PULL)).expect("a small number");
        let pulled = lock(self.pubsub()).pull(&name, most);
        let letters = pulled
            .map_err(|refusal| BusError::Unavailable(refusal.message))
            .map(|received| received.into_iter().map(|one| to_letter(self.pubsub(), &name, one)).collect());
        std::future::ready(letters).boxed()
    }
}

fn to_letter(pubsub: &Arc<Mutex<SimulatedPubSub>>, name: &str, one: crate::pubsub::Received) -> Letter {
    let (pubsub, name, ack_id) = (Arc::clone(pubsub), name.to_owned(), one.ack_id);
    Letter {
        message_id: one.message.id.to_string(),
        published_at_ms: i64::try_from(one.message.publish_ms).unwrap_or(i64::MAX),
        attributes: one.message.draft.attributes.clone(),
        data: one.message.draft.data.clone(),
        receipt: Receipt::new(move |is_acked| {
            let mut pubsub = lock(&pubsub);
            // A subscription that is gone owes nothing, and an ack id that has run out means that the message comes again.
            let _ = if is_acked {
                pubsub.acknowledge(&name, &[ack_id])
            } else {
                pubsub.modify_ack_deadline(&name, &[ack_id], 0)
            };
        }),
    }
}

fn lock(pubsub: &Mutex<SimulatedPubSub>) -> std::sync::MutexGuard<'_, SimulatedPubSub> {
    pubsub.lock().unwrap_or_else(PoisonError::into_inner)
}
