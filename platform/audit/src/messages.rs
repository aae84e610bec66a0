//! Invariant 6: no event from a transaction that rolled back; every outbox row published; every dead letter accounted for.

use std::collections::{BTreeMap, BTreeSet};

use events::envelope::SOURCE_PREFIX;
use events::topology::Topic;

use crate::audience;
use crate::evidence::{Evidence, LetterKey, Said};
use crate::invariant::Invariant;

/// The state of a letter whose effect is there.
const HANDLED: &str = "handled";

pub(crate) fn check(evidence: &Evidence) -> Invariant {
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
    let dead = dead(evidence);
    for said in &evidence.said {
        invariant.check(said.sent, || {
            format!("{} of {} waits in the outbox of {}", said.event_type, said.subject, said.service)
        });
        for consumer in owed(evidence, said) {
            let key = (consumer.to_owned(), format!("{SOURCE_PREFIX}{}", said.service), said.event_id.clone());
            invariant.check(dead.contains_key(&key), || {
                format!("{consumer} has not handled {} of {}", said.event_type, said.subject)
            });
        }
    }
    if let Some(letters) = &evidence.letters {
        // Ops forgets closed letters when services forget what they said.
        let kept = evidence.said.iter().filter(|said| said.sent && said.said_at_ms >= evidence.kept_from_ms);
        for dead in kept.filter_map(|said| said.dead.as_ref()) {
            invariant.check(letters.contains_key(&dead.key()), || {
                format!(
                    "event {} died at {} ({}), and ops does not have the letter",
                    dead.event_id, dead.consumer, dead.code
                )
            });
        }
        for (key, letter) in letters.iter().filter(|(_, letter)| letter.state == HANDLED) {
            let (consumer, source, event_id) = key;
            let heard = evidence.heard.get(&(source.clone(), event_id.clone()));
            let handled = heard.is_some_and(|heard| heard.contains(consumer));
            let forgotten = letter.occurred_at_ms < evidence.remembered_from_ms;
            invariant.check(handled || forgotten, || {
                format!("ops counts event {event_id} as handled by {consumer}, which has not handled it")
            });
        }
    }
    invariant
}

/// Consumers that still have to handle an event. Nobody has to handle one very minute: the next does as well.
pub(crate) fn owed(evidence: &Evidence, said: &Said) -> Vec<&'static str> {
    if said.topic == Topic::Clock.name() || said.said_at_ms < evidence.remembered_from_ms {
        return Vec::new();
    }
    let source = format!("{SOURCE_PREFIX}{}", said.service);
    let heard = evidence.heard.get(&(source, said.event_id.clone()));
    audience::of(&said.event_type, &said.topic, said.ledger.as_deref(), said.risk.as_deref())
        .into_iter()
        .filter(|consumer| !heard.is_some_and(|heard| heard.iter().any(|other| other == consumer)))
        .collect()
}

/// Dead letters, counted by consumer and code.
pub(crate) fn dead_letters(evidence: &Evidence) -> Vec<String> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for ((consumer, ..), code) in dead(evidence) {
        *counts.entry((consumer, code)).or_default() += 1;
    }
    counts.into_iter().map(|((consumer, code), count)| format!("{count} of {consumer}: {code}")).collect()
}

/// Letters of which nobody says that they were handled, with their codes: those that consumers said, and those that Pub/Sub made.
fn dead(evidence: &Evidence) -> BTreeMap<LetterKey, String> {
    let mut dead: BTreeMap<LetterKey, String> = evidence
        .said
        .iter()
        .filter_map(|said| said.dead.as_ref())
        .map(|dead| (dead.key(), dead.code.clone()))
        .collect();
    for (key, letter) in evidence.letters.iter().flatten() {
        if letter.state == HANDLED {
            dead.remove(key);
        } else {
            dead.insert(key.clone(), letter.code.clone());
        }
    }
    dead
}
