//! A person on call: now and then gives dead letters back to the consumer that failed.

use std::sync::Arc;

use bus::Outgoing;
use events::topology::EVENTS;

use crate::time::wait;
use crate::topics::{consumers, dead_letters};
use crate::world::{World, locked};

/// Dead letters looked at at once.
const BATCH: i32 = 100;

/// Watches for as long as the run lasts, and looks every so many milliseconds.
pub(super) async fn watch(world: Arc<World>, every_ms: u64) {
    loop {
        wait(every_ms).await;
        for consumer in consumers() {
            let subscription = dead_letters(consumer);
            let letters = locked(&world.pubsub).pull(&subscription, BATCH).unwrap_or_default();
            for letter in letters {
                let draft = letter.message.draft.clone();
                // The letter is acked only after the event is published again, under the same id.
                let outgoing = replay(
                    consumer,
                    Outgoing {
                        topic: String::new(),
                        ordering_key: String::new(),
                        attributes: draft.attributes,
                        data: draft.data,
                    },
                );
                let Some(outgoing) = outgoing else { continue };
                if world.publish("on-call", outgoing).is_ok() {
                    world.count(|tally| tally.replayed += 1);
                    let acked = locked(&world.pubsub).acknowledge(&subscription, &[letter.ack_id]);
                    acked.expect("the subscription it was pulled from is there");
                }
            }
        }
    }
}

/// The event as it was said, for one consumer only; `None` for what is no event of the shop.
fn replay(consumer: &str, mut letter: Outgoing) -> Option<Outgoing> {
    let event_type = letter.attributes.get("ce-type")?;
    EVENTS.iter().find(|row| row.event_type == event_type)?.topic.name().clone_into(&mut letter.topic);
    letter.attributes.retain(|name, _| !name.starts_with("dl") && !name.starts_with("CloudPubSub"));
    letter.attributes.insert("ce-replaytarget".to_owned(), consumer.to_owned());
    Some(letter)
}
