//! The way of one process to Pub/Sub.

use std::sync::Arc;

use bus::{Bus, BusError, Outgoing, Published};
use events::Fact;
use events::order::OrderStuck;
use futures::future::BoxFuture;
use testkit::pubsub::{Code, Draft};

use crate::life::{Life, Place};
use crate::time::wait;
use crate::world::{World, locked};

/// The simulation's project.
pub(crate) const PROJECT: &str = "projects/sim";
/// How long a publish takes at most, in milliseconds.
const PUBLISH_MS: u64 = 20;

/// Publishes for one process.
pub(crate) struct Door {
    world: Arc<World>,
    life: Arc<Life>,
}

impl Door {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life) }
    }

    async fn send(&self, batch: Vec<Outgoing>) -> Vec<Published> {
        let (world, life) = (&self.world, &self.life);
        world.dies(life, Place::BeforePublish);
        life.go_on().await;
        let there_ms = world.between(0, PUBLISH_MS / 2);
        wait(there_ms).await;
        life.go_on().await;
        let answers = batch.into_iter().map(|outgoing| world.publish(life.service, outgoing)).collect();
        world.dies(life, Place::AfterPublish);
        let back_ms = world.between(0, PUBLISH_MS / 2);
        wait(back_ms).await;
        life.go_on().await;
        answers
    }
}

impl Bus for Door {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        Box::pin(self.send(batch))
    }
}

impl World {
    /// Publishes one message to a topic of the shop, and tells the deliveries.
    pub(crate) fn publish(&self, from: &str, outgoing: Outgoing) -> Published {
        let attribute = |name: &str| outgoing.attributes.get(name).map_or("", String::as_str).to_owned();
        let (event_id, event_type) = (attribute("ce-id"), attribute("ce-type"));
        let topic = format!("{PROJECT}/topics/{}", outgoing.topic);
        let draft = Draft { data: outgoing.data, attributes: outgoing.attributes, ordering_key: outgoing.ordering_key };
        let answer = {
            let mut pubsub = locked(&self.pubsub);
            let now_ms = self.clock.now_ms();
            // What is due now or before happens first, at the deliveries' next turn.
            if pubsub.next_event_ms().is_none_or(|at_ms| at_ms >= now_ms) {
                pubsub.move_clock(now_ms);
            }
            pubsub.publish(&topic, vec![draft])
        };
        self.pubsub_changed.notify_one();
        self.published(&event_id);
        self.count(|tally| {
            tally.published += 1;
            tally.stuck += u64::from(event_type == OrderStuck::TYPE);
        });
        let outcome = answer.as_ref().map_or_else(|refusal| refusal.message.clone(), |_| "ok".to_owned());
        self.note(format_args!("publish {from} > {} {event_type} {event_id}: {outcome}", outgoing.topic));
        answer.map(drop).map_err(|refusal| match refusal.code {
            Code::Unavailable => BusError::Unavailable(refusal.message),
            _ => BusError::Refused(refusal.message),
        })
    }
}
