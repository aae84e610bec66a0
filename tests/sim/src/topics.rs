//! The topics and subscriptions of the topology table, in the simulated Pub/Sub.

use events::topology::{self, SUBSCRIPTIONS, Topic, limits};
use testkit::pubsub::{Backoff, DeadLetterPolicy, Refusal, SimulatedPubSub, SubscriptionSpec};

use crate::door::PROJECT;
use crate::house::PARTS;

const DAY_S: i64 = 24 * 60 * 60;

/// Makes them, for the consumers that are simulated.
///
/// # Errors
/// When the simulated Pub/Sub refuses one: the table asks for something the service does not have.
pub(crate) fn provision(pubsub: &mut SimulatedPubSub) -> Result<(), Refusal> {
    for topic in Topic::ALL {
        pubsub.create_topic(&topic_name(topic.name()))?;
    }
    for consumer in consumers() {
        let letters = topology::dead_letters(consumer);
        pubsub.create_topic(&topic_name(&letters))?;
        pubsub.create_subscription(SubscriptionSpec {
            name: subscription_name(&letters),
            topic: topic_name(&letters),
            ack_deadline_s: 60,
            retention_s: i64::from(limits::DEAD_LETTER_RETENTION_DAYS) * DAY_S,
            ..SubscriptionSpec::default()
        })?;
    }
    for row in SUBSCRIPTIONS.iter().filter(|row| consumers().any(|consumer| consumer == row.consumer)) {
        let dead_letter = DeadLetterPolicy {
            topic: topic_name(&topology::dead_letters(row.consumer)),
            max_attempts: u16::try_from(limits::MAX_DELIVERY_ATTEMPTS).unwrap_or(u16::MAX),
        };
        pubsub.create_subscription(SubscriptionSpec {
            name: subscription_name(&row.name()),
            topic: topic_name(row.topic.name()),
            push_endpoint: format!("http://{}/", row.consumer),
            ack_deadline_s: i32::try_from(limits::ACK_DEADLINE_S).unwrap_or(i32::MAX),
            filter: row.filter(),
            retry: Some(Backoff { min_ms: limits::MIN_BACKOFF_MS, max_ms: limits::MAX_BACKOFF_MS }),
            dead_letter: Some(dead_letter),
            retention_s: i64::from(limits::RETENTION_DAYS) * DAY_S,
            ..SubscriptionSpec::default()
        })?;
    }
    Ok(())
}

/// Consumers with a house, in the order of the houses.
pub(crate) fn consumers() -> impl Iterator<Item = &'static str> {
    let all = topology::consumers();
    PARTS.into_iter().map(|part| part.name).filter(move |name| all.contains(name))
}

/// Every subscription, pushed or not.
pub(crate) fn subscriptions() -> impl Iterator<Item = String> {
    let pushed = SUBSCRIPTIONS.iter().filter(|row| consumers().any(|consumer| consumer == row.consumer));
    pushed.map(|row| subscription_name(&row.name())).chain(consumers().map(dead_letters))
}

/// The subscription on a consumer's dead letters.
pub(crate) fn dead_letters(consumer: &str) -> String {
    subscription_name(&topology::dead_letters(consumer))
}

fn topic_name(topic: &str) -> String {
    format!("{PROJECT}/topics/{topic}")
}

fn subscription_name(name: &str) -> String {
    format!("{PROJECT}/subscriptions/{name}")
}
