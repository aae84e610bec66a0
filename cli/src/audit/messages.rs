//! Invariant 6: no event from a transaction that rolled back; every outbox row published; every dead letter accounted for.

use std::collections::{BTreeMap, BTreeSet};

use events::envelope::SOURCE_PREFIX;

use super::Invariant;
use super::evidence::{Evidence, Said};
use crate::audience;

pub(super) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant = Invariant::new(
        6,
        "every event handled was committed by who said it, every outbox row is published, every event has been handled or is a dead letter",
    );
    let committed: BTreeSet<(&str, &str)> =
        evidence.said.iter().map(|said| (said.service, said.event_id.as_str())).collect();
    let asked: BTreeSet<&str> = evidence.said.iter().map(|said| said.service).collect();
    for (source, event_id) in evidence.heard.keys() {
        let service = source.strip_prefix(SOURCE_PREFIX).unwrap_or(source);
        if asked.contains(service) {
            let known = committed.contains(&(service, event_id.as_str()));
            invariant.check(known, || format!("event {event_id} was handled, and {service} never committed it"));
        }
    }
    let dead: BTreeSet<(&str, &str)> = dead(evidence).map(|(said, consumer, _)| (consumer, said.order_id())).collect();
    for said in &evidence.said {
        invariant.check(said.sent, || {
            format!("{} of {} waits in the outbox of {}", said.event_type, said.subject, said.service)
        });
        for consumer in owed(evidence, said) {
            let kept = dead.contains(&(consumer, said.order_id()));
            invariant.check(kept, || format!("{consumer} has not handled {} of {}", said.event_type, said.subject));
        }
    }
    invariant
}

/// Consumers that still have to handle an event.
pub(super) fn owed(evidence: &Evidence, said: &Said) -> Vec<&'static str> {
    let source = format!("{SOURCE_PREFIX}{}", said.service);
    let heard = evidence.heard.get(&(source, said.event_id.clone()));
    audience::of(&said.event_type, &said.topic, said.ledger.as_deref(), said.risk.as_deref())
        .into_iter()
        .filter(|consumer| !heard.is_some_and(|heard| heard.iter().any(|other| other == consumer)))
        .collect()
}

/// Dead letters, counted by consumer and code.
pub(super) fn dead_letters(evidence: &Evidence) -> Vec<String> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, consumer, code) in dead(evidence) {
        *counts.entry((consumer, code)).or_default() += 1;
    }
    counts.into_iter().map(|((consumer, code), count)| format!("{count} of {consumer}: {code}")).collect()
}

fn dead(evidence: &Evidence) -> impl Iterator<Item = (&Said, &str, &str)> {
    evidence.said.iter().filter_map(|said| {
        let (consumer, code) = said.dead_letter.as_ref()?;
        Some((said, consumer.as_str(), code.as_str()))
    })
}
