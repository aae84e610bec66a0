//! What only a simulation can show: the same run again, and what its faults may do. The service's own promises are in the
//! conformance suite (`platform/bus/tests/conformance`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bus::Bus;
use futures::FutureExt;

use super::{
    Code, DeadLetterPolicy, Draft, Faults, Link, Push, SimulatedDoor, SimulatedPubSub, Step, SubscriptionSpec,
};

const TOPIC: &str = "projects/p/topics/order-events";
const SUBSCRIPTION: &str = "projects/p/subscriptions/oms";
const HOUR_MS: u64 = 3_600_000;
/// Every fault, often.
const STORM: Faults =
    Faults { lost: 100, twice: 100, late: 200, late_ms: 30_000, overtaken: 200, cut: 10, cut_ms: 5_000 };

fn pubsub(seed: u64, change: impl FnOnce(&mut SubscriptionSpec)) -> SimulatedPubSub {
    let mut pubsub = SimulatedPubSub::new(seed, 1_767_225_600_000);
    pubsub.create_topic(TOPIC).unwrap();
    let mut spec =
        SubscriptionSpec { name: SUBSCRIPTION.to_owned(), topic: TOPIC.to_owned(), ..SubscriptionSpec::default() };
    change(&mut spec);
    pubsub.create_subscription(spec).unwrap();
    pubsub
}

fn to_push(spec: &mut SubscriptionSpec) {
    "http://oms/push".clone_into(&mut spec.push_endpoint);
}

fn draft(text: &str, key: &str) -> Draft {
    Draft { data: text.to_owned().into(), ordering_key: key.to_owned(), ..Draft::default() }
}

fn text(push: &Push) -> String {
    String::from_utf8(push.message.draft.data.to_vec()).unwrap()
}

/// Publishes until it is taken, as an outbox does.
fn publish(pubsub: &mut SimulatedPubSub, draft: &Draft) {
    while pubsub.publish(TOPIC, vec![draft.clone()]).is_err() {
        pubsub.advance(1_000, |_| Some(204));
    }
}

/// What arrived when, in a storm, at an endpoint that fails every third time.
fn stormy_run(seed: u64) -> Vec<(u64, String)> {
    let mut pubsub = pubsub(seed, |spec| {
        to_push(spec);
        spec.ordered = true;
    });
    pubsub.set_faults(STORM);
    let mut seen = Vec::new();
    let mut endpoint = |push: &Push, now_ms: u64| {
        seen.push((now_ms, text(push)));
        if seen.len() % 3 == 0 { 500 } else { 204 }
    };
    for number in 0..60 {
        let key = if number % 2 == 0 { String::new() } else { format!("k{}", number % 3) };
        while pubsub.publish(TOPIC, vec![draft(&number.to_string(), &key)]).is_err() {
            // In a partition only time helps.
            pubsub.advance_with(500, &mut endpoint);
        }
    }
    pubsub.advance_with(24 * HOUR_MS, &mut endpoint);
    assert_eq!((pubsub.backlog(SUBSCRIPTION), pubsub.next_event_ms()), (0, None), "seed {seed}");
    seen
}

impl SimulatedPubSub {
    /// Lets time pass by single steps, for an endpoint that wants to know when.
    fn advance_with(&mut self, ms: u64, endpoint: &mut impl FnMut(&Push, u64) -> u16) {
        let until_ms = self.now_ms() + ms;
        while self.next_event_ms().is_some_and(|at_ms| at_ms <= until_ms) {
            if let Step::Push(push) = self.step() {
                let status = endpoint(&push, self.now_ms());
                self.answer(push.id, status);
            }
        }
        self.move_clock(until_ms);
    }
}

#[test]
fn one_seed_is_one_run_to_the_millisecond_and_another_seed_is_another() {
    assert_eq!(stormy_run(7), stormy_run(7));
    assert_ne!(stormy_run(7), stormy_run(8));
}

#[test]
fn no_storm_loses_a_message_or_breaks_the_order_of_a_key() {
    for seed in 0..50 {
        let seen = stormy_run(seed);
        let all: BTreeSet<&String> = seen.iter().map(|(_, text)| text).collect();
        assert_eq!(all.len(), 60, "seed {seed}");
        for key in 0..3 {
            // What comes again may come late; what comes first comes in order.
            let mut firsts: Vec<u32> = Vec::new();
            for number in seen.iter().map(|(_, text)| text.parse().unwrap()) {
                if number % 2 == 1 && number % 3 == key && !firsts.contains(&number) {
                    firsts.push(number);
                }
            }
            assert!(firsts.is_sorted(), "seed {seed}: {firsts:?}");
        }
    }
}

#[test]
fn a_storm_shows_losses_and_doubles_and_other_orders() {
    let seen = stormy_run(3);
    let first: Vec<u32> = seen.iter().map(|(_, text)| text.parse().unwrap()).filter(|n| n % 2 == 0).collect();
    assert!(seen.len() > 80, "{}", seen.len());
    assert!(!first.is_sorted());
}

#[test]
fn a_cut_link_refuses_publishes_and_fails_pushes_until_it_is_mended() {
    let mut pubsub = pubsub(1, to_push);
    pubsub.cut(Link::Publish, 1_000);
    assert_eq!(pubsub.publish(TOPIC, vec![draft("a", "")]).unwrap_err().code, Code::Unavailable);
    pubsub.advance(1_000, |_| None);
    pubsub.cut(Link::Push, 5_000);
    let cut_ms = pubsub.now_ms();
    pubsub.publish(TOPIC, vec![draft("a", "")]).unwrap();
    let mut arrived_ms = 0;
    while let step @ (Step::Push(_) | Step::Passed) = pubsub.step() {
        if let Step::Push(push) = step {
            arrived_ms = pubsub.now_ms();
            pubsub.answer(push.id, 200);
        }
    }
    assert!((cut_ms + 5_000..cut_ms + 15_000).contains(&arrived_ms), "{}", arrived_ms - cut_ms);
}

#[test]
fn a_pull_subscriber_sees_doubles_and_lost_acks_and_gets_everything() {
    let mut pubsub = pubsub(5, |_| {});
    pubsub.set_faults(STORM);
    for number in 0..50 {
        publish(&mut pubsub, &draft(&number.to_string(), ""));
    }
    let (mut seen, mut pulls) = (BTreeSet::new(), 0);
    while pubsub.backlog(SUBSCRIPTION) > 0 {
        for received in pubsub.pull(SUBSCRIPTION, 10).unwrap() {
            seen.insert(received.message.id);
            pulls += 1;
            pubsub.acknowledge(SUBSCRIPTION, &[received.ack_id]).unwrap();
        }
        pubsub.advance(5_000, |_| None);
    }
    // A publish whose answer was lost is published twice.
    assert!(seen.len() >= 50 && pulls > seen.len(), "{} {pulls}", seen.len());
}

#[test]
fn a_push_without_an_answer_fails_at_its_ack_deadline() {
    let mut pubsub = pubsub(1, to_push);
    pubsub.publish(TOPIC, vec![draft("a", "")]).unwrap();
    let started_ms = pubsub.now_ms();
    let mut arrivals = Vec::new();
    let Step::Push(push) = pubsub.step() else { panic!("a push arrives") };
    arrivals.push(pubsub.now_ms() - started_ms);
    while arrivals.len() < 2 {
        if let Step::Push(_) = pubsub.step() {
            arrivals.push(pubsub.now_ms() - started_ms);
        }
    }
    assert_eq!(arrivals, [0, 10_100]);
    pubsub.answer(push.id, 200);
    assert_eq!(pubsub.backlog(SUBSCRIPTION), 1, "the answer came too late");
}

#[test]
fn messages_past_their_retention_are_gone() {
    let mut pubsub = pubsub(1, |spec| spec.retention_s = 600);
    pubsub.publish(TOPIC, vec![draft("old", "")]).unwrap();
    pubsub.advance(HOUR_MS, |_| None);
    pubsub.publish(TOPIC, vec![draft("new", "")]).unwrap();
    let texts: Vec<_> =
        pubsub.pull(SUBSCRIPTION, 10).unwrap().into_iter().map(|r| r.message.draft.data.clone()).collect();
    assert_eq!(texts, ["new"]);
}

#[test]
fn a_dead_letter_without_its_topic_waits_for_it() {
    let dead = "projects/p/topics/dead";
    let mut pubsub = pubsub(1, |_| {});
    pubsub.create_topic(dead).unwrap();
    let policy = DeadLetterPolicy { topic: dead.to_owned(), max_attempts: 5 };
    let mut spec = pubsub.get_subscription(SUBSCRIPTION).unwrap();
    spec.dead_letter = Some(policy);
    pubsub.update_subscription(&spec, &["dead_letter_policy"]).unwrap();
    pubsub.delete_topic(dead).unwrap();
    pubsub.publish(TOPIC, vec![draft("poison", "")]).unwrap();
    for attempt in 1..=6 {
        let received = pubsub.pull(SUBSCRIPTION, 1).unwrap().remove(0);
        assert_eq!(received.attempt, Some(attempt));
        pubsub.modify_ack_deadline(SUBSCRIPTION, &[received.ack_id], 0).unwrap();
        pubsub.advance(60_000, |_| None);
    }
    pubsub.create_topic(dead).unwrap();
    let received = pubsub.pull(SUBSCRIPTION, 1).unwrap().remove(0);
    pubsub.modify_ack_deadline(SUBSCRIPTION, &[received.ack_id], 0).unwrap();
    assert_eq!(pubsub.backlog(SUBSCRIPTION), 0);
}

#[test]
fn the_door_publishes_into_the_simulation_and_tells_refused_from_unavailable() {
    let pubsub = Arc::new(Mutex::new(pubsub(1, |_| {})));
    let door = SimulatedDoor::new(Arc::clone(&pubsub), "p");
    let out = |topic: &str| bus::Outgoing {
        topic: topic.to_owned(),
        ordering_key: String::new(),
        attributes: [("ce-id".to_owned(), "1".to_owned())].into(),
        data: bytes::Bytes::new(),
    };
    let answers = door.publish(vec![out("order-events"), out("nowhere")]).now_or_never().unwrap();
    assert!(answers[0].is_ok() && matches!(answers[1], Err(bus::BusError::Refused(_))), "{answers:?}");
    pubsub.lock().unwrap().cut(Link::Publish, 1);
    let answers = door.publish(vec![out("order-events")]).now_or_never().unwrap();
    assert!(matches!(answers[0], Err(bus::BusError::Unavailable(_))), "{answers:?}");
    assert_eq!(pubsub.lock().unwrap().backlog(SUBSCRIPTION), 1);
}
