//! What the suite asks of an engine, and what it hears from one.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde_json::Value;
use testkit::pubsub::{Draft, Page, Refusal, SeekTo, SubscriptionSpec};

pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, Refusal>>;

/// A running Pub/Sub.
pub(crate) trait Engine {
    fn create_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    fn delete_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    fn list_topics<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page>;
    fn list_topic_subscriptions<'a>(&'a self, topic: &'a str, size: i32, token: &'a str) -> Answer<'a, Page>;

    fn create_subscription<'a>(&'a self, spec: &'a SubscriptionSpec) -> Answer<'a, SubscriptionSpec>;
    fn get_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, SubscriptionSpec>;
    fn update_subscription<'a>(
        &'a self,
        spec: &'a SubscriptionSpec,
        mask: &'a [&'a str],
    ) -> Answer<'a, SubscriptionSpec>;
    fn modify_push_config<'a>(&'a self, name: &'a str, endpoint: &'a str) -> Answer<'a, ()>;
    fn delete_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    fn detach_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    fn list_subscriptions<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page>;

    fn publish<'a>(&'a self, topic: &'a str, drafts: Vec<Draft>) -> Answer<'a, Vec<String>>;
    /// Gives what is there and does not wait.
    fn pull<'a>(&'a self, name: &'a str, max_messages: i32) -> Answer<'a, Vec<Received>>;
    fn acknowledge<'a>(&'a self, name: &'a str, ack_ids: Vec<String>) -> Answer<'a, ()>;
    fn modify_ack_deadline<'a>(&'a self, name: &'a str, ack_ids: Vec<String>, seconds: i32) -> Answer<'a, ()>;

    fn seek<'a>(&'a self, name: &'a str, to: &'a SeekTo) -> Answer<'a, ()>;
    fn create_snapshot<'a>(&'a self, name: &'a str, subscription: &'a str) -> Answer<'a, ()>;
    fn delete_snapshot<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    fn list_snapshots<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page>;

    /// An endpoint that answers by `inbox`, and its URL.
    fn receiver(&self, inbox: Arc<Inbox>) -> BoxFuture<'_, String>;
    /// Milliseconds since the engine's start, on its clock.
    fn elapsed_ms(&self) -> u64;
    /// Lets a moment pass, in which the engine works.
    fn tick(&self) -> BoxFuture<'_, ()>;
}

/// A message from a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) ack_id: String,
    pub(crate) id: String,
    pub(crate) publish_ms: u64,
    pub(crate) draft: Draft,
    /// 0 without a dead-letter policy.
    pub(crate) attempt: i32,
}

impl Received {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.draft.data).into_owned()
    }
}

/// A push as its endpoint got it.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) at_ms: u64,
    pub(crate) body: Value,
}

impl Arrival {
    pub(crate) fn text(&self) -> String {
        let data = self.body["message"]["data"].as_str().unwrap_or_default();
        String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
    }
}

/// The status for the n-th arrival of a text, counted from 1. 0 is no answer.
type Rule = dyn Fn(&str, usize) -> u16 + Send + Sync;

/// What an endpoint answers and what it got.
pub(crate) struct Inbox {
    rule: Box<Rule>,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Inbox {
    pub(crate) fn new(rule: impl Fn(&str, usize) -> u16 + Send + Sync + 'static) -> Arc<Inbox> {
        Arc::new(Inbox { rule: Box::new(rule), arrivals: Mutex::default() })
    }

    /// A push arrives; gives the status to answer with.
    pub(crate) fn arrive(&self, at_ms: u64, body: Value) -> Option<u16> {
        let arrival = Arrival { at_ms, body };
        let text = arrival.text();
        let mut arrivals = self.arrivals.lock().unwrap();
        arrivals.push(arrival);
        let nth = arrivals.iter().filter(|earlier| earlier.text() == text).count();
        Some((self.rule)(&text, nth)).filter(|status| *status > 0)
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.arrivals().iter().map(Arrival::text).collect()
    }
}
