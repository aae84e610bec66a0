//! Each way an order can be held up.

use runtime::Handled;
use serde_json::{Value, json};

use super::*;

const INVOICE_REQUESTED: &str = "com.onlineboutique.billing.invoice_requested.v1";
const INVOICE_ISSUED: &str = "com.onlineboutique.billing.invoice_issued.v1";
const STOCK_RESERVED: &str = "com.onlineboutique.inventory.stock_reserved.v1";
const STOCK_COMMITTED: &str = "com.onlineboutique.inventory.stock_committed.v1";

fn invoice(stuck: bool) -> Wait {
    Wait {
        step: "invoice".to_owned(),
        missing: INVOICE_ISSUED.to_owned(),
        ledger: None,
        follows: INVOICE_REQUESTED.to_owned(),
        owed_by: "accounting".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        deadline: "2026-01-01T00:05:00Z".to_owned(),
        stuck_since: stuck.then(|| "2026-01-01T00:06:00Z".to_owned()),
    }
}

fn said(id: &str, event_type: &str, topic: &str, data: Value) -> Said {
    Said {
        id: id.to_owned(),
        event_type: event_type.to_owned(),
        causation_id: None,
        at_ms: 1,
        sent_at_ms: Some(2),
        topic: topic.to_owned(),
        data,
    }
}

fn handled(consumer: &str, id: &str) -> Handled {
    Handled { consumer: consumer.to_owned(), id: id.to_owned(), at_ms: 3, failed_attempts: 0 }
}

/// Everybody knows of an order for which checkout asked for an invoice with the event `request`.
fn stories() -> Stories {
    let mut stories: Stories = topology::consumers().into_iter().map(|name| (name, Some(Story::default()))).collect();
    told(&mut stories, "checkout").said.push(said("request", INVOICE_REQUESTED, "billing-events", json!({})));
    stories
}

fn told<'a>(stories: &'a mut Stories, service: &'static str) -> &'a mut Story {
    stories.get_mut(service).and_then(Option::as_mut).expect("it was asked")
}

fn only(wait: Wait, stories: &Stories) -> Finding {
    let order = OpenOrder { order_id: "O1".to_owned(), status: "confirmed".to_owned(), waits: vec![wait] };
    diagnose(order, stories).waits.remove(0)
}

#[test]
fn a_dead_letter_is_found_with_its_consumer_and_what_mends_it() {
    let mut stories = stories();
    let letter = said("request", INVOICE_REQUESTED, "accounting.dead-letters", json!({}));
    told(&mut stories, "accounting").said.push(letter);
    let finding = only(invoice(true), &stories);
    let (consumer, event_type, event_id) =
        ("accounting".to_owned(), INVOICE_REQUESTED.to_owned(), "request".to_owned());
    assert_eq!(finding.place, Place::DeadLetter { consumer, event_type, event_id });
    assert_eq!(finding.command.as_deref(), Some("boutique dlq plan --order O1"));
    // Replayed since: it is no longer what holds the order up.
    told(&mut stories, "accounting").handled.push(handled("accounting", "request"));
    assert_eq!(only(invoice(true), &stories).place, Place::Unanswered { consumer: "accounting".to_owned() });
}

#[test]
fn an_event_on_its_way_is_told_from_one_in_the_outbox() {
    let mut stories = stories();
    let (event_type, event_id) = (INVOICE_REQUESTED.to_owned(), "request".to_owned());
    let unhandled = Place::Unhandled {
        consumer: "accounting".to_owned(),
        event_type: event_type.clone(),
        event_id: event_id.clone(),
    };
    assert_eq!(only(invoice(true), &stories).place, unhandled);
    told(&mut stories, "checkout").said[0].sent_at_ms = None;
    let outbox = Place::Outbox { service: "checkout".to_owned(), event_type, event_id };
    assert_eq!(only(invoice(true), &stories).place, outbox);
}

#[test]
fn an_answer_that_oms_has_not_heard_is_owed_by_oms() {
    let mut stories = stories();
    let accounting = told(&mut stories, "accounting");
    accounting.handled.push(handled("accounting", "request"));
    accounting.said.push(said("answer", INVOICE_ISSUED, "billing-events", json!({})));
    told(&mut stories, "oms").said.push(said("answer", INVOICE_ISSUED, "oms.dead-letters", json!({})));
    let (consumer, event_type, event_id) = ("oms".to_owned(), INVOICE_ISSUED.to_owned(), "answer".to_owned());
    assert_eq!(only(invoice(true), &stories).place, Place::DeadLetter { consumer, event_type, event_id });
}

#[test]
fn an_event_nobody_said_is_told_from_a_service_that_could_not_be_asked() {
    let mut stories = stories();
    told(&mut stories, "checkout").said.clear();
    let never = Place::NeverSaid { event_type: INVOICE_REQUESTED.to_owned() };
    assert_eq!(only(invoice(true), &stories).place, never);
    stories.insert("checkout", None);
    assert_eq!(only(invoice(true), &stories).place, Place::Unknown { service: "checkout".to_owned() });
    stories.insert("accounting", None);
    assert_eq!(only(invoice(true), &stories).place, Place::Unknown { service: "accounting".to_owned() });
}

#[test]
fn each_ledger_owes_for_its_own_units() {
    let wait = |ledger: &str| Wait {
        step: format!("stock:{ledger}"),
        missing: STOCK_COMMITTED.to_owned(),
        ledger: Some(ledger.to_owned()),
        follows: STOCK_RESERVED.to_owned(),
        owed_by: ledger.to_owned(),
        ..invoice(true)
    };
    let mut stories = stories();
    let reserved = said("reserved", STOCK_RESERVED, "inventory-events", json!({ "ledger": "furniture" }));
    told(&mut stories, "checkout").said.push(reserved);
    let (consumer, event_type, event_id) = ("furniture".to_owned(), STOCK_RESERVED.to_owned(), "reserved".to_owned());
    assert_eq!(only(wait("furniture"), &stories).place, Place::Unhandled { consumer, event_type, event_id });
    let never = Place::NeverSaid { event_type: STOCK_RESERVED.to_owned() };
    assert_eq!(only(wait("inventory"), &stories).place, never);
}

#[test]
fn what_is_in_time_or_waits_for_a_person_is_not_looked_for() {
    let finding = only(invoice(false), &Stories::new());
    assert_eq!((finding.place, finding.command), (Place::Awaited, None));
    let review = Wait { step: "release".to_owned(), ..invoice(false) };
    let Finding { place, command, .. } = only(review, &Stories::new());
    let mends = "boutique order release O1  # or: boutique order refuse O1";
    assert_eq!((place, command.as_deref()), (Place::Review, Some(mends)));
}
