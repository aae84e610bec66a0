//! One event through its consumer, however it ends.

use events::billing::InvoiceIssued;
use events::{EventId, Fact};
use runtime::Outcome;
use store::attempts;
use testkit::event;

use crate::fixture::{cancelled, effects, issued, scenario};

#[tokio::test]
async fn an_event_has_one_effect_however_often_it_comes() {
    let shop = scenario();
    let event = event(cancelled("O1")).from("oms").seal();

    let first = shop.when(&event).await;
    let again = shop.when(&event).await;

    assert!(matches!(first, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(effects(&shop).await, 1);
    assert_eq!(shop.said_facts::<InvoiceIssued>(), vec![issued(&"O1".parse().unwrap())]);
}

#[tokio::test]
async fn an_answer_names_its_cause_and_its_id_follows_from_it() {
    let shop = scenario();
    let event = event(cancelled("O1")).from("oms").seal();
    shop.when(&event).await;

    let said = &shop.said()[0].attributes;
    assert_eq!(said["ce-id"], EventId::derived(&event.id, "accounting.invoice", 0).to_string());
    assert_eq!(said["ce-causationid"], event.id.to_string());
    assert_eq!(said["ce-correlationid"], event.correlation_id.to_string());
    assert_eq!(said["ce-source"], "//onlineboutique.com/accounting");
    assert_eq!(said["ce-partitionkey"], "O1");
}

#[tokio::test]
async fn a_transient_failure_leaves_only_its_record_and_can_succeed_later() {
    let shop = scenario();
    let event = event(cancelled("later")).seal();

    assert!(matches!(shop.when(&event).await, Outcome::Transient(failure) if failure.code() == "changed_meanwhile"));
    assert!(matches!(shop.when(&event).await, Outcome::Transient(_)));

    assert_eq!(effects(&shop).await, 0);
    assert!(shop.said().is_empty());
    let id = event.id.to_string();
    let recorded = shop.read(move |tx| attempts::of_event(tx, "accounting", &id, 0, 10)).await;
    assert_eq!(recorded.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(recorded[0].code, "changed_meanwhile");
}

#[tokio::test]
async fn a_permanent_failure_goes_to_the_dead_letter_with_its_reason_and_its_bytes() {
    let shop = scenario();
    let event = event(cancelled("never")).seal();

    assert!(matches!(shop.when(&event).await, Outcome::Permanent(failure) if failure.code() == "illegal_state"));

    assert_eq!(effects(&shop).await, 0);
    let taken = shop.bus().taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].topic, "accounting.dead-letters");
    let letter = &taken[0].attributes;
    assert_eq!(letter["ce-id"], event.id.to_string());
    assert_eq!(letter["dlconsumer"], "accounting");
    assert_eq!(letter["dlcode"], "illegal_state");
    assert_eq!(letter["dlattempts"], "1");
    assert_eq!(letter["dlfingerprint"].len(), 12);
    assert_eq!(taken[0].data, event.data.0.as_bytes());
}

#[tokio::test]
async fn a_reaction_that_panics_takes_nobody_with_it() {
    let shop = scenario();
    assert!(matches!(shop.when(&event(cancelled("panics")).seal()).await, Outcome::Permanent(_)));
    assert!(matches!(shop.when(&event(cancelled("O2")).seal()).await, Outcome::Handled(_)));
    assert_eq!(effects(&shop).await, 1);
}

#[tokio::test]
async fn a_fact_out_of_its_bounds_is_never_said() {
    let shop = scenario();
    let outcome = shop.when(&event(cancelled("unfit")).seal()).await;
    assert!(matches!(outcome, Outcome::Permanent(failure) if failure.code() == "invalid_fact"));
    assert_eq!(effects(&shop).await, 0);
    assert!(shop.said_facts::<events::billing::InvoiceRequested>().is_empty());
}

#[tokio::test]
async fn types_and_replays_meant_for_others_are_not_ours() {
    let shop = scenario();
    let other = event(issued(&"O1".parse().unwrap())).seal();
    assert_eq!(shop.when(&other).await, Outcome::NotForUs);

    let mut replay = event(cancelled("O1")).seal();
    replay.replay_target = Some("inventory".to_owned());
    assert_eq!(shop.when(&replay).await, Outcome::NotForUs);
    replay.replay_target = Some("accounting".to_owned());
    assert!(matches!(shop.when(&replay).await, Outcome::Handled(_)));
}

#[tokio::test]
async fn a_newer_version_of_a_known_fact_is_kept_for_a_newer_program() {
    let shop = scenario();
    let mut newer = event(cancelled("O1")).seal();
    newer.event_type = events::order::OrderCancelled::TYPE.replace(".v1", ".v2");
    let outcome = shop.when(&newer).await;
    assert!(matches!(outcome, Outcome::Permanent(failure) if failure.code() == "newer_version"));
    assert_eq!(shop.bus().taken()[0].topic, "accounting.dead-letters");
}
