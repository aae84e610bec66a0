//! What a dead letter is, read from the message that brought it. Pure.

use std::collections::BTreeMap;

use bus::Letter;
use events::id::derived;
use events::topology::{self, EVENTS};
use events::{Timestamp, envelope};
use runtime::{Code, dead_letter, fingerprint};

/// Attributes Pub/Sub's own dead-letter policy adds. From Google's documentation, "Dead-letter topics".
const SOURCE_SUBSCRIPTION: &str = "CloudPubSubDeadLetterSourceSubscription";
const SOURCE_ATTEMPTS: &str = "CloudPubSubDeadLetterSourceDeliveryCount";
const SOURCE_PREFIX: &str = "CloudPubSubDeadLetterSource";
/// Attributes a replay adds.
const REPLAY_ID: &str = "ce-replayid";
const REPLAY_TARGET: &str = "ce-replaytarget";
const EDIT: &str = "ce-edit";

/// Who put the letter there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The consumer itself, with its reason.
    Consumer,
    /// Pub/Sub's own dead-letter policy, which knows no reason.
    PubSub,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Consumer => "consumer",
            Kind::PubSub => "pubsub",
        }
    }
}

/// A dead letter that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) letter_id: String,
    pub(crate) consumer: &'static str,
    pub(crate) source: String,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) order_id: String,
    /// Where the event was said; empty when that cannot be told.
    pub(crate) topic: String,
    /// When the event happened, in milliseconds since the epoch; when the letter was published for an event without a time.
    pub(crate) occurred_at_ms: i64,
    /// The event's own attributes, as JSON.
    pub(crate) attributes: String,
    pub(crate) data: String,
    pub(crate) death: Death,
}

/// One time the event died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    /// The same for the same death, however often its message is published or delivered.
    pub(crate) death_id: String,
    pub(crate) kind: Kind,
    pub(crate) code: String,
    pub(crate) fingerprint: String,
    pub(crate) reason: String,
    /// Failures at the consumer so far as it counts them; deliveries for a letter of Pub/Sub's policy.
    pub(crate) attempts: i64,
    pub(crate) died_at_ms: i64,
    /// The replay that brought the event; empty for none.
    pub(crate) replay_id: String,
}

/// Reads a message from `<consumer>.dead-letters`.
pub(crate) fn read(consumer: &'static str, letter: &Letter) -> Incoming {
    let attribute = |name: &str| letter.attributes.get(name).map(|value| plain(value)).unwrap_or_default();
    // The consumer writes an id for an event that has none; Pub/Sub's policy does not.
    let event_id = Some(attribute("ce-id")).filter(|id| !id.is_empty()).unwrap_or_else(|| letter.message_id.clone());
    let source = attribute("ce-source");
    let event_type = attribute("ce-type");
    let letter_id = derived("letter", &format!("{consumer}/{source}/{event_id}")).simple().to_string();
    let own: BTreeMap<&String, String> = letter
        .attributes
        .iter()
        .filter(|(name, _)| is_of_the_event(name))
        .map(|(name, value)| (name, plain(value)))
        .collect();
    Incoming {
        consumer,
        topic: topic(&event_type, &attribute(SOURCE_SUBSCRIPTION)),
        order_id: order_id(&attribute("ce-subject"), &attribute("ce-partitionkey")),
        occurred_at_ms: time_ms(&attribute("ce-time")).unwrap_or(letter.published_at_ms),
        attributes: serde_json::to_string(&own).expect("a map of strings is always JSON"),
        data: plain(&String::from_utf8_lossy(&letter.data)),
        death: death(consumer, &letter_id, letter),
        letter_id,
        source,
        event_id,
        event_type,
    }
}

fn death(consumer: &str, letter_id: &str, letter: &Letter) -> Death {
    let attribute = |name: &str| letter.attributes.get(name).map(|value| plain(value)).unwrap_or_default();
    let code = attribute(dead_letter::CODE);
    let replay_id = attribute(REPLAY_ID);
    if code.is_empty() {
        let attempts: i64 = attribute(SOURCE_ATTEMPTS).parse().unwrap_or(0);
        let code = Code::AttemptsExhausted.as_str().to_owned();
        let reason = "Pub/Sub gave the event up, and the consumer has not said why".to_owned();
        return Death {
            death_id: derived("death", &format!("{consumer}/{}", letter.message_id)).simple().to_string(),
            kind: Kind::PubSub,
            fingerprint: fingerprint(&code, &reason),
            code,
            reason,
            attempts,
            died_at_ms: letter.published_at_ms,
            replay_id,
        };
    }
    let (attempts, time) = (attribute(dead_letter::ATTEMPTS), attribute(dead_letter::TIME));
    // A consumer that was killed between publish and mark publishes the same death again, as another message.
    let death = if time.is_empty() { letter.message_id.clone() } else { format!("{attempts}/{time}") };
    Death {
        death_id: derived("death", &format!("{letter_id}/{death}")).simple().to_string(),
        kind: Kind::Consumer,
        code,
        fingerprint: attribute(dead_letter::FINGERPRINT),
        reason: attribute(dead_letter::REASON),
        attempts: attempts.parse().unwrap_or(0),
        died_at_ms: time_ms(&time).unwrap_or(letter.published_at_ms),
        replay_id,
    }
}

/// Whether an attribute was the event's own before it died.
fn is_of_the_event(name: &str) -> bool {
    !dead_letter::NOTES.contains(&name)
        && !name.starts_with(SOURCE_PREFIX)
        && ![REPLAY_ID, REPLAY_TARGET, EDIT].contains(&name)
}

/// Where events of this type are said, whatever their version; else the topic of the subscription Pub/Sub gave up on,
/// `<topic>.<consumer>`.
fn topic(event_type: &str, subscription: &str) -> String {
    let name = |wire: &str| wire.rsplit_once(".v").map_or_else(|| wire.to_owned(), |(name, _)| name.to_owned());
    let known = EVENTS.iter().find(|row| name(row.event_type) == name(event_type)).map(|row| row.topic.name());
    let topic = known.or_else(|| {
        let (topic, _) = subscription.rsplit_once('.')?;
        topology::Topic::ALL.into_iter().map(topology::Topic::name).find(|name| *name == topic)
    });
    topic.unwrap_or_default().to_owned()
}

fn order_id(subject: &str, key: &str) -> String {
    subject.strip_prefix("orders/").unwrap_or(key).chars().take(events::id::MAX_ID_CHARS).collect()
}

fn time_ms(text: &str) -> Option<i64> {
    if text.len() > envelope::MAX_ATTRIBUTE_BYTES {
        return None;
    }
    text.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
}

/// Text that every database takes: PostgreSQL has no place for a NUL.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use bus::Receipt;

    use super::*;

    fn letter(message_id: &str, attributes: &[(&str, &str)]) -> Letter {
        Letter {
            message_id: message_id.to_owned(),
            published_at_ms: 5_000,
            attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            data: bytes::Bytes::from_static(b"{}"),
            receipt: Receipt::new(|_| ()),
        }
    }

    const EVENT: [(&str, &str); 5] = [
        ("ce-id", "e1"),
        ("ce-source", "//onlineboutique.com/checkout"),
        ("ce-type", "com.onlineboutique.order.confirmed.v1"),
        ("ce-subject", "orders/O1"),
        ("ce-time", "2026-01-01T00:00:00Z"),
    ];
    const DIED: [(&str, &str); 6] = [
        ("dlconsumer", "oms"),
        ("dlcode", "illegal_state"),
        ("dlreason", "no"),
        ("dlfingerprint", "f00d"),
        ("dlattempts", "3"),
        ("dltime", "2026-01-01T00:00:01Z"),
    ];

    #[test]
    fn a_letter_of_the_consumer_keeps_its_reason_and_the_event_its_own_attributes() {
        let read = read(
            "oms",
            &letter("77", &[&EVENT[..], &DIED[..], &[("ce-replayid", "r1"), ("ce-replaytarget", "oms")]].concat()),
        );
        assert_eq!((read.topic.as_str(), read.order_id.as_str()), ("order-events", "O1"));
        assert_eq!(read.occurred_at_ms, 1_767_225_600_000);
        let own: BTreeMap<String, String> = serde_json::from_str(&read.attributes).unwrap();
        assert_eq!(
            own.keys().map(String::as_str).collect::<Vec<_>>(),
            ["ce-id", "ce-source", "ce-subject", "ce-time", "ce-type"]
        );
        let death = read.death;
        assert_eq!((death.kind, death.code.as_str(), death.attempts), (Kind::Consumer, "illegal_state", 3));
        assert_eq!((death.died_at_ms, death.replay_id.as_str()), (1_767_225_601_000, "r1"));
    }

    #[test]
    fn the_same_death_under_two_message_ids_is_one_and_another_attempt_is_another() {
        let event = [&EVENT[..], &DIED[..]].concat();
        let (one, two) = (read("oms", &letter("77", &event)), read("oms", &letter("78", &event)));
        assert_eq!(one.death.death_id, two.death.death_id);
        let mut later = event.clone();
        later.retain(|(name, _)| *name != "dlattempts");
        later.push(("dlattempts", "4"));
        let third = read("oms", &letter("79", &later));
        assert_eq!(third.letter_id, one.letter_id);
        assert_ne!(third.death.death_id, one.death.death_id);
        assert_ne!(read("crm", &letter("77", &event)).letter_id, one.letter_id, "each consumer has letters of its own");
    }

    #[test]
    fn a_letter_of_pub_subs_policy_has_no_reason_yet_and_its_topic_is_found() {
        let source = [
            ("CloudPubSubDeadLetterSourceSubscription", "clock-events.oms"),
            ("CloudPubSubDeadLetterSourceDeliveryCount", "20"),
        ];
        let read = read("oms", &letter("77", &[&source[..], &[("ce-id", "e1")]].concat()));
        assert_eq!((read.topic.as_str(), read.death.kind, read.death.attempts), ("clock-events", Kind::PubSub, 20));
        assert_eq!((read.death.code.as_str(), read.occurred_at_ms), ("attempts_exhausted", 5_000));
        assert_eq!(read.attributes, r#"{"ce-id":"e1"}"#);
    }

    #[test]
    fn a_newer_version_belongs_on_the_topic_of_the_version_that_is_known() {
        let newer = letter("1", &[("ce-type", "com.onlineboutique.billing.invoice_issued.v2")]);
        assert_eq!(read("oms", &newer).topic, "billing-events");
        let foreign = letter("1", &[("ce-type", "x"), (SOURCE_SUBSCRIPTION, "elsewhere.oms")]);
        assert_eq!(read("oms", &foreign).topic, "");
    }
}
