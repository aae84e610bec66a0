//! The simulated bus. Pushes are late by seed and overtake each other where order is not promised.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use testkit::T0;
use testkit::pubsub::{Draft, Faults, Page, Refusal, SeekTo, SimulatedPubSub, SubscriptionSpec};

use crate::engine::{Answer, Engine, Inbox, Received};

/// Faults no user may notice.
const HARMLESS: Faults = Faults { late: 300, late_ms: 300, overtaken: 300, lost: 0, twice: 0, cut: 0, cut_ms: 0 };
/// Milliseconds that pass in a tick in which nothing happens.
const TICK_MS: u64 = 100;

pub(crate) struct Simulated {
    state: Mutex<State>,
}

struct State {
    pubsub: SimulatedPubSub,
    started_ms: u64,
    inboxes: BTreeMap<String, Arc<Inbox>>,
}

impl Simulated {
    pub(crate) fn new(seed: u64) -> Simulated {
        let started_ms = u64::try_from(T0).unwrap();
        let mut pubsub = SimulatedPubSub::new(seed, started_ms);
        pubsub.set_faults(HARMLESS);
        Simulated { state: Mutex::new(State { pubsub, started_ms, inboxes: BTreeMap::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn call<'a, T: Send + 'a>(&self, call: impl FnOnce(&mut SimulatedPubSub) -> Result<T, Refusal>) -> Answer<'a, T> {
        ready(call(&mut self.state().pubsub)).boxed()
    }
}

impl Engine for Simulated {
    fn create_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.create_topic(name))
    }

    fn delete_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.delete_topic(name))
    }

    fn list_topics<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        self.call(|pubsub| pubsub.list_topics(project, size, token))
    }

    fn list_topic_subscriptions<'a>(&'a self, topic: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        self.call(|pubsub| pubsub.list_topic_subscriptions(topic, size, token))
    }

    fn create_subscription<'a>(&'a self, spec: &'a SubscriptionSpec) -> Answer<'a, SubscriptionSpec> {
        self.call(|pubsub| pubsub.create_subscription(spec.clone()))
    }

    fn get_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, SubscriptionSpec> {
        self.call(|pubsub| pubsub.get_subscription(name))
    }

    fn update_subscription<'a>(
        &'a self,
        spec: &'a SubscriptionSpec,
        mask: &'a [&'a str],
    ) -> Answer<'a, SubscriptionSpec> {
        self.call(|pubsub| pubsub.update_subscription(spec, mask))
    }

    fn modify_push_config<'a>(&'a self, name: &'a str, endpoint: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.modify_push_config(name, endpoint))
    }

    fn delete_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.delete_subscription(name))
    }

    fn detach_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.detach_subscription(name))
    }

    fn list_subscriptions<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        self.call(|pubsub| pubsub.list_subscriptions(project, size, token))
    }

    fn publish<'a>(&'a self, topic: &'a str, drafts: Vec<Draft>) -> Answer<'a, Vec<String>> {
        self.call(|pubsub| Ok(pubsub.publish(topic, drafts)?.iter().map(u64::to_string).collect()))
    }

    fn pull<'a>(&'a self, name: &'a str, max_messages: i32) -> Answer<'a, Vec<Received>> {
        self.call(|pubsub| {
            let received = pubsub.pull(name, max_messages)?.into_iter().map(|one| Received {
                ack_id: one.ack_id,
                id: one.message.id.to_string(),
                publish_ms: one.message.publish_ms,
                draft: one.message.draft.clone(),
                attempt: one.attempt.map_or(0, i32::from),
            });
            Ok(received.collect())
        })
    }

    fn acknowledge<'a>(&'a self, name: &'a str, ack_ids: Vec<String>) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.acknowledge(name, &ack_ids))
    }

    fn modify_ack_deadline<'a>(&'a self, name: &'a str, ack_ids: Vec<String>, seconds: i32) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.modify_ack_deadline(name, &ack_ids, seconds))
    }

    fn seek<'a>(&'a self, name: &'a str, to: &'a SeekTo) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.seek(name, to))
    }

    fn create_snapshot<'a>(&'a self, name: &'a str, subscription: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.create_snapshot(name, subscription))
    }

    fn delete_snapshot<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.call(|pubsub| pubsub.delete_snapshot(name))
    }

    fn list_snapshots<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        self.call(|pubsub| pubsub.list_snapshots(project, size, token))
    }

    fn receiver(&self, inbox: Arc<Inbox>) -> BoxFuture<'_, String> {
        let mut state = self.state();
        let url = format!("http://receiver-{}/push", state.inboxes.len());
        state.inboxes.insert(url.clone(), inbox);
        ready(url).boxed()
    }

    fn elapsed_ms(&self) -> u64 {
        let state = self.state();
        state.pubsub.now_ms() - state.started_ms
    }

    fn tick(&self) -> BoxFuture<'_, ()> {
        let State { pubsub, started_ms, inboxes } = &mut *self.state();
        let now_ms = pubsub.now_ms();
        // At an event, endpoints see the time of the event.
        let next_ms = pubsub.next_event_ms().filter(|at_ms| *at_ms <= now_ms + TICK_MS);
        let until_ms = next_ms.unwrap_or(now_ms + TICK_MS);
        pubsub.advance(until_ms - now_ms, |push| {
            inboxes.get(&push.endpoint)?.arrive(until_ms - *started_ms, push.envelope())
        });
        ready(()).boxed()
    }
}
