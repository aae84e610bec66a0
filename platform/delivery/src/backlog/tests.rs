//! The backlog against its promises, by example and at random.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{Backoff, NEVER, PUSH, UNARY};

const DEADLINE_MS: u64 = 10_000;

/// A message of ten bytes, published at the time that is its id.
#[derive(Debug)]
struct Sample {
    id: u64,
    key: u64,
}

impl Message for Sample {
    fn id(&self) -> u64 {
        self.id
    }

    fn key(&self) -> u64 {
        self.key
    }

    fn publish_ms(&self) -> u64 {
        self.id
    }

    fn bytes(&self) -> u32 {
        10
    }
}

struct World {
    backlog: Backlog<Sample>,
    now_ms: u64,
}

impl World {
    fn new(policy: Policy) -> World {
        World { backlog: Backlog::new(policy, 0), now_ms: 0 }
    }

    fn ordered() -> World {
        World::new(Policy { ordered: true, ..Policy::default() })
    }

    fn insert(&mut self, id: u64, key: u64) {
        self.backlog.insert(Arc::new(Sample { id, key }));
    }

    fn take(&mut self, messages: usize, per_key: usize) -> Vec<Delivery<Sample>> {
        let until_ms = self.now_ms + DEADLINE_MS;
        let owner = UNARY;
        self.backlog.take(Take { messages, bytes: usize::MAX, per_key, now_ms: self.now_ms, until_ms, owner })
    }

    fn ids(&mut self) -> Vec<u64> {
        self.take(100, 100).iter().map(|d| d.message.id).collect()
    }

    fn later(&mut self, ms: u64) -> Vec<Nacked<Sample>> {
        self.now_ms += ms;
        self.backlog.pass(self.now_ms)
    }
}

fn dead_letters() -> Policy {
    let dead_letter = Some(DeadLetterPolicy { topic: String::new(), max_attempts: 5 });
    Policy { ordered: true, dead_letter, ..Policy::default() }
}

#[test]
fn a_failed_push_waits_as_long_as_the_longer_of_its_two_backoffs() {
    let waits = |policy_ms: Option<(u64, u64)>| {
        let retry = RetryPolicy(policy_ms.map(|(min_ms, max_ms)| Backoff { min_ms, max_ms }));
        let mut world = World::new(Policy { retry, ..Policy::default() });
        world.insert(1, 0);
        let push = Backoff { min_ms: 100, max_ms: 60_000 };
        let mut waits = Vec::new();
        for _ in 0..12 {
            let (now_ms, until_ms) = (world.now_ms, NEVER);
            let take = Take { messages: 1, bytes: usize::MAX, per_key: 1, now_ms, until_ms, owner: PUSH };
            let delivery = world.backlog.take(take).remove(0);
            world.backlog.nack(delivery.ack_id, push.after(u32::from(delivery.attempt)), world.now_ms);
            let due_ms = world.backlog.next_due().unwrap();
            waits.push(due_ms - world.now_ms);
            world.later(due_ms - world.now_ms);
        }
        waits
    };
    let push = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000];
    assert_eq!(waits(None), push);
    assert_eq!(waits(Some((0, 0))), push);
    assert_eq!(waits(Some((1_000, 1_000)))[..6], [1_000, 1_000, 1_000, 1_000, 1_600, 3_200]);
    assert_eq!(waits(Some((10_000, 600_000)))[..7], [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000]);
}

#[test]
fn a_lease_that_expires_brings_its_message_back_and_a_late_ack_still_counts() {
    let mut world = World::new(Policy::default());
    world.insert(1, 0);
    let first = world.take(1, 1);
    assert!(world.later(DEADLINE_MS - 1).is_empty());
    assert!(world.ids().is_empty());
    assert!(matches!(world.later(1)[..], [Nacked::Again(_, 1)]));
    assert!(matches!(world.backlog.nack(first[0].ack_id, 0, world.now_ms), Nacked::Unknown));
    assert!(world.backlog.ack(1, world.now_ms).is_some());
    assert!(world.ids().is_empty());
    assert_eq!(world.backlog.len(), 0);
}

#[test]
fn a_lease_that_is_extended_expires_later_and_one_that_is_cut_earlier() {
    let mut world = World::new(Policy::default());
    world.insert(1, 0);
    let lease = world.take(1, 1)[0].ack_id;
    assert!(world.backlog.extend(lease, 5_000, world.now_ms));
    assert_eq!(world.backlog.next_due(), Some(5_000));
    assert!(world.backlog.extend(lease, 60_000, world.now_ms));
    assert!(world.later(59_999).is_empty());
    assert!(world.backlog.extend(lease, 60_001 + DEADLINE_MS, world.now_ms));
    assert!(world.backlog.extend(lease, 60_001, world.now_ms));
    assert!(world.backlog.next_due() <= Some(60_001));
    assert_eq!(world.later(2).len(), 1);
    assert!(!world.backlog.extend(lease, 99_999, world.now_ms));
}

#[test]
fn the_retry_policy_holds_a_message_back_and_its_key_with_it() {
    let retry = RetryPolicy(Some(Backoff { min_ms: 1_000, max_ms: 4_000 }));
    let mut world = World::new(Policy { ordered: true, retry, dead_letter: None });
    world.insert(1, 7);
    world.insert(2, 7);
    for wait_ms in [1_000, 2_000, 4_000, 4_000] {
        let lease = world.take(9, 1)[0].ack_id;
        world.backlog.nack(lease, 0, world.now_ms);
        world.later(wait_ms - 1);
        assert!(world.ids().is_empty());
        world.later(1);
    }
    assert_eq!(world.ids(), [1, 2]);
}

#[test]
fn a_dying_message_holds_its_key_until_it_is_forwarded() {
    let mut world = World::new(dead_letters());
    world.insert(1, 7);
    world.insert(2, 7);
    for attempt in 1..=5 {
        let taken = world.take(9, 1);
        assert_eq!((taken.len(), taken[0].message.id, taken[0].attempt), (1, 1, attempt));
        let nacked = world.backlog.nack(taken[0].ack_id, 0, world.now_ms);
        assert_eq!(matches!(nacked, Nacked::Exhausted(_)), attempt == 5);
    }
    assert!(world.ids().is_empty());
    world.backlog.not_forwarded(1, 1_000, world.now_ms);
    world.later(1_000);
    let taken = world.take(9, 1);
    assert_eq!((taken[0].message.id, taken[0].attempt), (1, 6));
    assert!(matches!(world.backlog.nack(taken[0].ack_id, 0, world.now_ms), Nacked::Exhausted(_)));
    world.backlog.ack(1, world.now_ms);
    assert_eq!(world.ids(), [2]);
}

#[test]
fn an_owner_that_is_gone_gives_back_its_messages_in_order_and_uncounted() {
    let mut world = World::ordered();
    for id in 1..=3 {
        world.insert(id, 7);
    }
    world.insert(4, 0);
    assert_eq!(world.ids(), [1, 2, 3, 4]);
    world.backlog.abandon(UNARY, world.now_ms);
    let again = world.take(9, 9);
    assert_eq!(again.iter().filter(|d| d.message.key == 7).map(|d| d.message.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(again.iter().all(|d| d.attempt == 1));
    assert_eq!(again.len(), 4);
}

#[test]
fn an_ack_of_what_an_earlier_run_gave_out_is_good_before_this_run_gives_it_out_again() {
    for ordered in [false, true] {
        let mut world = World::new(Policy { ordered, ..Policy::default() });
        for id in 1..=4 {
            world.backlog.restore(Arc::new(Sample { id, key: 7 }), u16::from(id == 4));
        }
        assert_eq!(world.backlog.ack(2, 0).map(|message| message.id), Some(2));
        assert!(world.backlog.ack(2, 0).is_none());
        assert_eq!(world.backlog.len(), 3);
        let mut kept: Vec<u64> = world.backlog.messages().map(|message| message.id).collect();
        kept.sort_unstable();
        assert_eq!(kept, [1, 3, 4]);
        let mut given = world.ids();
        if !ordered {
            given.sort_unstable();
        }
        assert_eq!(given, [1, 3, 4], "ordered: {ordered}");
        assert!(world.ids().is_empty());
    }
}

#[test]
fn restored_messages_keep_their_place_and_are_dropped_when_they_are_old() {
    let mut world = World::new(Policy::default());
    for id in 1..=3 {
        world.backlog.restore(Arc::new(Sample { id, key: 0 }), 0);
    }
    world.insert(4, 0);
    assert_eq!(world.backlog.oldest_publish_ms(), Some(1));
    assert_eq!(world.backlog.purge(2, 0).iter().map(|message| message.id).collect::<Vec<_>>(), [1]);
    assert_eq!(world.ids(), [2, 3, 4]);
}

#[test]
fn old_messages_are_dropped_unless_a_subscriber_has_them() {
    let mut world = World::ordered();
    for (id, key) in [(1, 0), (2, 7), (3, 0), (4, 7), (5, 8), (6, 0)] {
        world.insert(id, key);
    }
    let held = world.take(2, 1);
    assert_eq!(held.iter().map(|d| d.message.id).collect::<Vec<_>>(), [1, 2]);
    let mut gone: Vec<u64> = world.backlog.purge(6, world.now_ms).iter().map(|m| m.id).collect();
    gone.sort_unstable();
    // 4 stands behind 2, which is out.
    assert_eq!(gone, [3, 5]);
    assert_eq!(world.backlog.len(), 4);
    assert_eq!(world.backlog.oldest_publish_ms(), Some(1));
    world.backlog.ack(2, world.now_ms);
    assert_eq!(world.backlog.purge(6, world.now_ms).len(), 1);
    assert_eq!(world.ids(), [6]);
}

#[test]
fn a_messages_retry_does_not_wait_behind_a_long_backlog() {
    let mut world = World::new(Policy::default());
    for id in 1..=100 {
        world.insert(id, 0);
    }
    let lease = world.take(1, 1)[0].ack_id;
    world.backlog.nack(lease, 0, world.now_ms);
    assert!(world.take(2, 1).iter().any(|d| d.message.id == 1));
}

#[derive(Debug, Clone)]
enum Step {
    Insert { key: u64 },
    Take { messages: usize, per_key: usize },
    Ack { which: usize },
    Nack { which: usize, wait_ms: u64 },
    Extend { which: usize },
    Later { ms: u64 },
    Forwarded { good: bool },
    Abandon,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..4).prop_map(|key| Step::Insert { key }),
        4 => (1usize..5, 1usize..4).prop_map(|(messages, per_key)| Step::Take { messages, per_key }),
        3 => any::<usize>().prop_map(|which| Step::Ack { which }),
        3 => (any::<usize>(), 0u64..3_000).prop_map(|(which, wait_ms)| Step::Nack { which, wait_ms }),
        1 => any::<usize>().prop_map(|which| Step::Extend { which }),
        2 => (0u64..12_000).prop_map(|ms| Step::Later { ms }),
        1 => any::<bool>().prop_map(|good| Step::Forwarded { good }),
        1 => Just(Step::Abandon),
    ]
}

/// What an honest observer knows.
#[derive(Default)]
struct Model {
    last_id: u64,
    key_of: BTreeMap<u64, u64>,
    unacked: BTreeSet<u64>,
    /// Leases by message.
    out: BTreeMap<u64, AckId>,
    dying: BTreeSet<u64>,
    /// All leases ever given, for late acks.
    given: Vec<AckId>,
}

impl Model {
    fn nacked(&mut self, nacked: &Nacked<Sample>) {
        match nacked {
            Nacked::Unknown => {}
            Nacked::Again(message, _) => {
                self.out.remove(&message.id);
                // Those behind it in its key are taken back with it.
                let key = self.key_of[&message.id];
                if key != 0 {
                    self.out.retain(|id, _| self.key_of[id] != key || *id < message.id);
                }
            }
            Nacked::Exhausted(missed) => {
                self.out.remove(&missed.message.id);
                self.dying.insert(missed.message.id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new(dead_letters());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Insert { key } => {
                    model.last_id += 1;
                    model.key_of.insert(model.last_id, key);
                    model.unacked.insert(model.last_id);
                    world.insert(model.last_id, key);
                }
                Step::Take { messages, per_key } => {
                    for nacked in world.later(0) {
                        model.nacked(&nacked);
                    }
                    for delivery in world.take(messages, per_key) {
                        let id = delivery.message.id;
                        prop_assert!(model.unacked.contains(&id), "{id} was acked");
                        prop_assert!(!model.dying.contains(&id), "{id} is dying");
                        prop_assert!(model.out.insert(id, delivery.ack_id).is_none(), "{id} is out already");
                        let key = model.key_of[&id];
                        let before = model.unacked.iter().filter(|m| **m < id && model.key_of[m] == key);
                        if key != 0 {
                            for earlier in before {
                                prop_assert!(model.out.contains_key(earlier) , "{id} went out before {earlier}");
                            }
                        }
                        model.given.push(delivery.ack_id);
                    }
                }
                Step::Ack { which } => {
                    if let Some(ack_id) = model.given.get(which % model.given.len().max(1)) {
                        let acked = world.backlog.ack(ack_id.message, world.now_ms).is_some();
                        prop_assert_eq!(acked, model.unacked.remove(&ack_id.message));
                        model.out.remove(&ack_id.message);
                        model.dying.remove(&ack_id.message);
                    }
                }
                Step::Nack { which, wait_ms } => {
                    if let Some(ack_id) = model.given.get(which % model.given.len().max(1)).copied() {
                        let nacked = world.backlog.nack(ack_id, wait_ms, world.now_ms);
                        let known = model.out.get(&ack_id.message) == Some(&ack_id);
                        prop_assert_eq!(!matches!(nacked, Nacked::Unknown), known);
                        model.nacked(&nacked);
                    }
                }
                Step::Extend { which } => {
                    if let Some(ack_id) = model.given.get(which % model.given.len().max(1)).copied() {
                        let known = model.out.get(&ack_id.message) == Some(&ack_id);
                        prop_assert_eq!(world.backlog.extend(ack_id, world.now_ms + 20_000, world.now_ms), known);
                    }
                }
                Step::Later { ms } => {
                    for nacked in world.later(ms) {
                        model.nacked(&nacked);
                    }
                }
                Step::Forwarded { good } => {
                    if let Some(id) = model.dying.pop_first() {
                        if good {
                            prop_assert!(world.backlog.ack(id, world.now_ms).is_some());
                            model.unacked.remove(&id);
                        } else {
                            world.backlog.not_forwarded(id, 500, world.now_ms);
                            let key = model.key_of[&id];
                            if key != 0 {
                                model.out.retain(|m, _| model.key_of[m] != key || *m < id);
                            }
                        }
                    }
                }
                Step::Abandon => {
                    world.backlog.abandon(UNARY, world.now_ms);
                    model.out.clear();
                }
            }
            prop_assert_eq!(world.backlog.len(), model.unacked.len());
        }
        // Left alone with a good subscriber, everything comes and nothing stays.
        for id in std::mem::take(&mut model.dying) {
            world.backlog.not_forwarded(id, 0, world.now_ms);
        }
        for round in 0.. {
            prop_assert!(round < 1_000, "{} messages never come", model.unacked.len());
            for nacked in world.later(30_000) {
                if let Nacked::Exhausted(missed) = nacked {
                    world.backlog.ack(missed.message.id, world.now_ms);
                    model.unacked.remove(&missed.message.id);
                }
            }
            for delivery in world.take(10, 3) {
                world.backlog.ack(delivery.message.id, world.now_ms);
                model.unacked.remove(&delivery.message.id);
            }
            if model.unacked.is_empty() {
                break;
            }
        }
        prop_assert_eq!(world.backlog.len(), 0);
        prop_assert!(world.backlog.drain().is_empty());
    }
}

#[test]
fn a_drained_backlog_is_empty_and_its_streams_start_anew() {
    let mut world = World::ordered();
    let stream = 7;
    world.backlog.flows.open(stream, 2, 1_000);
    for (id, key) in [(1, 0), (2, 9), (3, 9), (4, 0)] {
        world.insert(id, key);
    }
    let take = Take { messages: 9, bytes: 999, per_key: 9, now_ms: 0, until_ms: DEADLINE_MS, owner: stream };
    let out = world.backlog.take(take);
    assert_eq!((out.len(), world.backlog.take(take).len()), (2, 0));
    let mut drained: Vec<u64> = world.backlog.drain().iter().map(|m| m.id()).collect();
    drained.sort_unstable();
    assert_eq!((drained, world.backlog.len()), (vec![1, 2, 3, 4], 0));
    assert!(world.backlog.ack(out[0].message.id(), 0).is_none());
    (5..9).for_each(|id| world.insert(id, 0));
    assert_eq!(world.backlog.take(take).len(), 2);
}

#[test]
fn a_delayed_message_waits_and_holds_its_key_back() {
    let mut world = World::ordered();
    world.backlog.insert_later(Arc::new(Sample { id: 1, key: 0 }), 50);
    world.backlog.insert_later(Arc::new(Sample { id: 2, key: 9 }), 50);
    world.insert(3, 9);
    assert!(world.ids().is_empty());
    world.later(50);
    let mut ids = world.ids();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(world.backlog.len(), 3);
}

#[test]
fn only_the_delivery_that_has_the_lease_can_ack_exactly_once() {
    let mut world = World::new(Policy::default());
    world.insert(1, 0);
    let first = world.take(1, 1)[0].ack_id;
    world.later(DEADLINE_MS);
    assert!(world.backlog.ack_leased(first, world.now_ms).is_none());
    let second = world.take(1, 1)[0].ack_id;
    assert!(world.backlog.ack_leased(first, world.now_ms).is_none());
    assert!(world.backlog.ack_leased(second, world.now_ms).is_some());
    assert!(world.backlog.ack_leased(second, world.now_ms).is_none());
}

#[test]
fn timers_do_not_pile_up_however_often_a_message_is_nacked_or_its_deadline_moved() {
    let mut world = World::new(Policy::default());
    world.insert(1, 0);
    for turn in 0..20_000u64 {
        let ack_id = world.take(1, 1)[0].ack_id;
        assert!(world.backlog.extend(ack_id, DEADLINE_MS - turn % 2, world.now_ms));
        world.backlog.nack(ack_id, 0, world.now_ms);
    }
    assert!(world.backlog.timers() < 2_000, "{} timers", world.backlog.timers());
    let ack_id = world.take(1, 1)[0].ack_id;
    assert!(world.later(DEADLINE_MS).len() == 1 && world.backlog.ack_leased(ack_id, world.now_ms).is_none());
}
