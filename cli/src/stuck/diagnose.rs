//! What holds an order up. Pure: from what OMS waits for and what every service said and handled.

use events::topology;
use runtime::{Said, Story};

use super::{Finding, Held, OpenOrder, Place, Stories, Wait};
use ::audit::audience;

/// The step that waits for a person.
const REVIEW: &str = "release";

/// Looks for what each overdue wait of the order is held up by.
pub fn diagnose(order: OpenOrder, stories: &Stories) -> Held {
    let OpenOrder { order_id, status, waits } = order;
    let stuck = waits.iter().any(|wait| wait.stuck_since.is_some());
    let finding = |wait: Wait| {
        let place = place(&wait, stories);
        Finding { command: command(&order_id, &place), place, wait }
    };
    Held { stuck, waits: waits.into_iter().map(finding).collect(), order_id: order_id.clone(), status }
}

fn place(wait: &Wait, stories: &Stories) -> Place {
    if wait.step == REVIEW {
        return Place::Review;
    }
    if wait.stuck_since.is_none() {
        return Place::Awaited;
    }
    let owed_by = wait.owed_by.as_str();
    // The answer may have been given: then it is OMS that has not heard it.
    for consumer in [oms::NAME, owed_by] {
        let Some(Some(story)) = stories.get(consumer) else {
            return Place::Unknown { service: consumer.to_owned() };
        };
        if let Some(place) = unhandled(wait, consumer, story, stories) {
            return place;
        }
    }
    let said = said(stories).any(|(_, said)| said.event_type == wait.follows && is_of(said, wait.ledger.as_deref()));
    if said {
        return Place::Unanswered { consumer: owed_by.to_owned() };
    }
    let silent = topology::speakers(&wait.follows).iter().find(|name| matches!(stories.get(**name), None | Some(None)));
    match silent {
        Some(service) => Place::Unknown { service: (*service).to_owned() },
        None => Place::NeverSaid { event_type: wait.follows.clone() },
    }
}

/// An event for the consumer that it has not handled: its own dead letters before what others said, what the wait is about before the rest.
fn unhandled(wait: &Wait, consumer: &str, story: &Story, stories: &Stories) -> Option<Place> {
    let handled = |said: &Said| story.handled.iter().any(|done| done.id == said.id && done.consumer == consumer);
    let about = |said: &Said| {
        let right_type = said.event_type == wait.missing || said.event_type == wait.follows;
        right_type && is_of(said, wait.ledger.as_deref())
    };
    let letters = topology::dead_letters(consumer);
    let letter = story.said.iter().filter(|said| said.topic == letters && !handled(said));
    if let Some(letter) = letter.min_by_key(|said| (!about(said), said.at_ms)) {
        let (event_type, event_id) = (letter.event_type.clone(), letter.id.clone());
        return Some(Place::DeadLetter { consumer: consumer.to_owned(), event_type, event_id });
    }
    let open = said(stories).filter(|(_, said)| {
        let (ledger, risk) = (said.data["ledger"].as_str(), said.data["risk"].as_str());
        audience::of(&said.event_type, &said.topic, ledger, risk).contains(&consumer) && !handled(said)
    });
    let (service, said) = open.min_by_key(|(_, said)| (!about(said), said.at_ms))?;
    let (event_type, event_id) = (said.event_type.clone(), said.id.clone());
    if said.sent_at_ms.is_none() {
        return Some(Place::Outbox { service: service.to_owned(), event_type, event_id });
    }
    Some(Place::Unhandled { consumer: consumer.to_owned(), event_type, event_id })
}

/// Everything said about the order, dead letters left out: those are events of others.
fn said(stories: &Stories) -> impl Iterator<Item = (&'static str, &Said)> {
    let told = stories.iter().filter_map(|(service, story)| Some((*service, story.as_ref()?)));
    told.flat_map(|(service, story)| story.said.iter().map(move |said| (service, said)))
        .filter(|(_, said)| !said.topic.ends_with(".dead-letters"))
}

fn is_of(said: &Said, ledger: Option<&str>) -> bool {
    said.data["ledger"].as_str().is_none_or(|of| ledger.is_none_or(|ledger| ledger == of))
}

fn command(order_id: &str, place: &Place) -> Option<String> {
    match place {
        Place::Awaited => None,
        // One line for a shell: the second word is a comment to it.
        Place::Review => Some(format!("boutique order release {order_id}  # or: boutique order refuse {order_id}")),
        Place::DeadLetter { .. } => Some(format!("boutique dlq plan --order {order_id}")),
        _ => Some(format!("boutique order show {order_id}")),
    }
}

#[cfg(test)]
mod tests;
