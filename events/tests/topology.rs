//! The table keeps its promises: who is to hear an event gets it, and nobody gets what is not for them.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use events::topology::{EVENTS, EventRow, SUBSCRIPTIONS, SubscriptionRow, TYPE_PREFIX, Topic};
use events::{Ledger, topology};
use support::filter::passes;
use support::{FACTS, samples};

type Attributes = BTreeMap<String, String>;

/// Everybody who may be named in the table.
const SERVICES: [&str; 9] =
    ["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "fraud-bridge", "crm", "scheduler"];
/// What filters let through in excess, as (subscription, type). A consumer acknowledges it without a reaction.
const EXCESS: [(&str, &str); 0] = [];
/// Events that nobody reacts to: they are said for the warehouse of facts and for people alone.
const UNHEARD: [&str; 7] = [
    "com.onlineboutique.order.on_hold.v1",
    "com.onlineboutique.order.released.v1",
    "com.onlineboutique.order.stuck.v1",
    "com.onlineboutique.inventory.stock_released.v1",
    "com.onlineboutique.inventory.stock_low.v1",
    "com.onlineboutique.billing.revenue_recognized.v1",
    "com.onlineboutique.fulfillment.shipment_created.v1",
];
/// The longest filter Pub/Sub takes, in bytes.
const MAX_FILTER_BYTES: usize = 256;

/// The attributes an event may travel with: every sample, from everybody who says it, with every value of what filters look at.
fn wire_forms(row: &EventRow) -> Vec<Attributes> {
    let mut forms = Vec::new();
    for sample in samples().into_iter().filter(|sample| sample.event_type == row.event_type) {
        let mut plain = sample.attributes;
        plain.remove("ce-replayid");
        plain.remove("ce-replaytarget");
        for service in row.said_by {
            let said = with(&plain, "ce-source", &format!("{}{service}", events::envelope::SOURCE_PREFIX));
            let ledgers = Ledger::ALL.map(Ledger::as_str);
            for form in vary(&said, "ce-ledger", &ledgers) {
                forms.extend(vary(&form, "ce-risk", &["LOW", "MEDIUM", "HIGH", "UNKNOWN"]));
            }
        }
    }
    assert!(!forms.is_empty(), "{} has no sample", row.event_type);
    forms
}

fn vary(attributes: &Attributes, name: &str, values: &[&str]) -> Vec<Attributes> {
    if attributes.contains_key(name) {
        values.iter().map(|value| with(attributes, name, value)).collect()
    } else {
        vec![attributes.clone()]
    }
}

fn with(attributes: &Attributes, name: &str, value: &str) -> Attributes {
    let mut attributes = attributes.clone();
    attributes.insert(name.to_owned(), value.to_owned());
    attributes
}

/// Whether the consumer reacts to this very event: its ledger's events only, and the bridge only scores what is unscored.
fn needs(consumer: &str, row: &EventRow, attributes: &Attributes) -> bool {
    let reacts = row.heard_by.contains(&consumer);
    let is = |name: &str, value: &str| attributes.get(name).is_some_and(|actual| actual == value);
    match consumer {
        "inventory" | "furniture" if attributes.contains_key("ce-ledger") => reacts && is("ce-ledger", consumer),
        "fraud-bridge" if attributes.contains_key("ce-risk") => reacts && is("ce-risk", "UNKNOWN"),
        _ => reacts,
    }
}

fn subscriptions_of(topic: Topic) -> impl Iterator<Item = &'static SubscriptionRow> {
    SUBSCRIPTIONS.iter().filter(move |subscription| subscription.topic == topic)
}

#[test]
fn every_listener_has_a_subscription_on_the_topic() {
    for row in EVENTS {
        for consumer in row.heard_by {
            let found = subscriptions_of(row.topic).filter(|subscription| subscription.consumer == *consumer).count();
            assert_eq!(found, 1, "{consumer} hears {}", row.event_type);
        }
    }
}

#[test]
fn every_event_reaches_who_needs_it_and_nobody_unlisted() {
    let mut excess = BTreeSet::new();
    for row in EVENTS {
        for attributes in wire_forms(row) {
            for subscription in subscriptions_of(row.topic) {
                let (name, filter) = (subscription.name(), subscription.filter());
                let through = passes(&filter, &attributes);
                let needed = needs(subscription.consumer, row, &attributes);
                assert!(through || !needed, "{name} keeps back {attributes:?}");
                if through && !needed {
                    excess.insert((name, row.event_type));
                }
            }
        }
    }
    let allowed: BTreeSet<_> = EXCESS.into_iter().map(|(name, event_type)| (name.to_owned(), event_type)).collect();
    assert_eq!(excess, allowed);
}

#[test]
fn a_replay_reaches_only_the_consumer_it_is_meant_for() {
    for row in EVENTS {
        for attributes in wire_forms(row) {
            for subscription in subscriptions_of(row.topic) {
                let filter = subscription.filter();
                let to = |consumer: &str| passes(&filter, &with(&attributes, "ce-replaytarget", consumer));
                let name = subscription.name();
                assert_eq!(to(subscription.consumer), passes(&filter, &attributes), "{name}, {attributes:?}");
                for other in SERVICES.into_iter().filter(|other| *other != subscription.consumer) {
                    assert!(!to(other), "{name} hears a replay for {other}");
                }
            }
        }
    }
}

#[test]
fn every_subscription_serves_an_event_and_is_there_once() {
    let mut names = BTreeSet::new();
    for subscription in SUBSCRIPTIONS {
        let serves =
            EVENTS.iter().any(|row| row.topic == subscription.topic && row.heard_by.contains(&subscription.consumer));
        assert!(serves, "{} serves no event", subscription.name());
        assert!(names.insert(subscription.name()), "{} is there twice", subscription.name());
    }
}

#[test]
fn events_without_a_listener_are_meant_to_have_none() {
    let unheard: Vec<&str> = EVENTS.iter().filter(|row| row.heard_by.is_empty()).map(|row| row.event_type).collect();
    assert_eq!(unheard, UNHEARD);
}

#[test]
fn every_filter_is_short_enough_for_pubsub() {
    for subscription in SUBSCRIPTIONS {
        let filter = subscription.filter();
        assert!(filter.len() <= MAX_FILTER_BYTES, "{}: {} bytes", subscription.name(), filter.len());
    }
}

#[test]
fn only_known_services_speak_and_listen_and_every_event_has_a_speaker() {
    for row in EVENTS {
        assert!(!row.said_by.is_empty(), "nobody says {}", row.event_type);
        for service in row.said_by.iter().chain(row.heard_by) {
            assert!(SERVICES.contains(service), "{service} in {}", row.event_type);
        }
    }
    for consumer in topology::consumers() {
        assert!(SERVICES.contains(&consumer), "{consumer}");
    }
}

#[test]
fn the_table_holds_every_fact_once() {
    let mut known: Vec<&str> = FACTS.iter().map(|row| row.event_type).collect();
    let mut rows: Vec<&str> = EVENTS.iter().map(|row| row.event_type).collect();
    known.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, known);
    rows.dedup();
    assert_eq!(rows.len(), EVENTS.len(), "a wire type is there twice");
}

#[test]
fn every_wire_type_is_prefix_subject_fact_version() {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    for row in EVENTS {
        let rest = row.event_type.strip_prefix(TYPE_PREFIX).unwrap_or_default();
        let parts: Vec<&str> = rest.split('.').collect();
        let [subject, fact, version] = parts[..] else { panic!("{} has {} parts", row.event_type, parts.len()) };
        assert!(word(subject) && word(fact), "{}", row.event_type);
        let major = version.strip_prefix('v').and_then(|major| major.parse::<u32>().ok());
        assert!(major.is_some_and(|major| major >= 1 && version == format!("v{major}")), "{}", row.event_type);
        assert_eq!(topology::known_version(row.event_type), major.map(|major| (major, major)));
    }
}
