//! What a case works with: an engine, names of its own, and patience.

use std::sync::Arc;

use testkit::pubsub::{Code, DeadLetterPolicy, Draft, Refusal, SubscriptionSpec};

use crate::engine::{Arrival, Engine, Inbox, Received};

/// No step of a case takes longer on the engine's clock, in milliseconds.
const PATIENCE_MS: u64 = 45_000;

pub(crate) struct World {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) project: String,
}

impl World {
    pub(crate) fn new(engine: Arc<dyn Engine>, number: usize) -> World {
        World { engine, project: format!("projects/case-{number}") }
    }

    pub(crate) fn topic_name(&self, id: &str) -> String {
        format!("{}/topics/{id}", self.project)
    }

    pub(crate) fn snapshot_name(&self, id: &str) -> String {
        format!("{}/snapshots/{id}", self.project)
    }

    pub(crate) async fn topic(&self, id: &str) -> String {
        let name = self.topic_name(id);
        self.engine.create_topic(&name).await.unwrap();
        name
    }

    /// What a subscription of `topic` is like when nothing is said.
    pub(crate) fn spec(&self, id: &str, topic: &str) -> SubscriptionSpec {
        let name = format!("{}/subscriptions/{id}", self.project);
        SubscriptionSpec { name, topic: topic.to_owned(), ..SubscriptionSpec::default() }
    }

    /// A subscription of `topic`, changed to taste.
    pub(crate) async fn subscription(
        &self,
        id: &str,
        topic: &str,
        change: impl FnOnce(&mut SubscriptionSpec),
    ) -> String {
        let mut spec = self.spec(id, topic);
        change(&mut spec);
        self.engine.create_subscription(&spec).await.unwrap();
        spec.name
    }

    /// A topic and a subscription of it.
    pub(crate) async fn pair(&self, change: impl FnOnce(&mut SubscriptionSpec)) -> (String, String) {
        let topic = self.topic("orders").await;
        let subscription = self.subscription("oms", &topic, change).await;
        (topic, subscription)
    }

    /// A dead-letter topic with a subscription, and the policy that names it.
    pub(crate) async fn dead_letters(&self) -> (DeadLetterPolicy, String) {
        let topic = self.topic("dead").await;
        let letters = self.subscription("letters", &topic, |_| {}).await;
        (DeadLetterPolicy { topic, max_attempts: 5 }, letters)
    }

    /// An endpoint that answers by `rule`: the status for the n-th arrival of a text.
    pub(crate) async fn endpoint(
        &self,
        rule: impl Fn(&str, usize) -> u16 + Send + Sync + 'static,
    ) -> (String, Arc<Inbox>) {
        let inbox = Inbox::new(rule);
        (self.engine.receiver(Arc::clone(&inbox)).await, inbox)
    }

    /// Publishes texts one by one and gives their ids.
    pub(crate) async fn say(&self, topic: &str, texts: &[&str]) -> Vec<String> {
        self.say_in_order(topic, "", texts).await
    }

    /// Publishes texts one by one with an ordering key and gives their ids.
    pub(crate) async fn say_in_order(&self, topic: &str, key: &str, texts: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for text in texts {
            let draft = Draft { ordering_key: key.to_owned(), ..draft(text) };
            ids.extend(self.engine.publish(topic, vec![draft]).await.unwrap());
        }
        ids
    }

    /// What is there.
    pub(crate) async fn pull(&self, subscription: &str) -> Vec<Received> {
        self.engine.pull(subscription, 1_000).await.unwrap()
    }

    /// Pulls until so many have come, and gives them.
    pub(crate) async fn gather(&self, subscription: &str, count: usize) -> Vec<Received> {
        let started_ms = self.engine.elapsed_ms();
        let mut all: Vec<Received> = Vec::new();
        loop {
            all.extend(self.pull(subscription).await);
            if all.len() >= count {
                return all;
            }
            let texts: Vec<String> = all.iter().map(Received::text).collect();
            self.tick_since(started_ms, || format!("{count} messages, got {texts:?}")).await;
        }
    }

    /// The one message that comes next.
    pub(crate) async fn next(&self, subscription: &str) -> Received {
        let mut all = self.gather(subscription, 1).await;
        assert_eq!(all.len(), 1, "{:?}", texts(&all));
        all.remove(0)
    }

    /// Pulls until `text` comes, and gives all that came up to then.
    pub(crate) async fn gather_until(&self, subscription: &str, text: &str) -> Vec<Received> {
        let started_ms = self.engine.elapsed_ms();
        let mut all: Vec<Received> = Vec::new();
        loop {
            all.extend(self.pull(subscription).await);
            if all.iter().any(|received| received.text() == text) {
                return all;
            }
            let texts = texts(&all);
            self.tick_since(started_ms, || format!("{text}, got {texts:?}")).await;
        }
    }

    /// Whether nothing is there: what is published now is the first to come.
    pub(crate) async fn assert_empty(&self, topic: &str, subscription: &str) {
        self.say(topic, &["marker"]).await;
        assert_eq!(texts(&self.gather_until(subscription, "marker").await), ["marker"]);
    }

    pub(crate) async fn ack(&self, subscription: &str, received: &[Received]) {
        self.engine.acknowledge(subscription, ack_ids(received)).await.unwrap();
    }

    pub(crate) async fn nack(&self, subscription: &str, received: &[Received]) {
        self.deadline(subscription, received, 0).await;
    }

    pub(crate) async fn deadline(&self, subscription: &str, received: &[Received], seconds: i32) {
        self.engine.modify_ack_deadline(subscription, ack_ids(received), seconds).await.unwrap();
    }

    /// Waits until so many pushes have arrived, and gives all.
    pub(crate) async fn arrivals(&self, inbox: &Inbox, count: usize) -> Vec<Arrival> {
        let started_ms = self.engine.elapsed_ms();
        while inbox.arrivals().len() < count {
            self.tick_since(started_ms, || format!("{count} pushes, got {:?}", inbox.texts())).await;
        }
        inbox.arrivals()
    }

    /// Waits until a text has been pushed, and gives all that were.
    pub(crate) async fn arrival_of(&self, inbox: &Inbox, text: &str) -> Vec<String> {
        let started_ms = self.engine.elapsed_ms();
        while !inbox.texts().iter().any(|arrived| arrived == text) {
            self.tick_since(started_ms, || format!("a push of {text}, got {:?}", inbox.texts())).await;
        }
        inbox.texts()
    }

    /// Lets so much time pass, for a claim about time.
    pub(crate) async fn pass(&self, ms: u64) {
        let until_ms = self.engine.elapsed_ms() + ms;
        while self.engine.elapsed_ms() < until_ms {
            self.engine.tick().await;
        }
    }

    async fn tick_since(&self, started_ms: u64, what: impl FnOnce() -> String) {
        if self.engine.elapsed_ms() - started_ms > PATIENCE_MS {
            panic!("waited {PATIENCE_MS} ms for {}", what());
        }
        self.engine.tick().await;
    }
}

pub(crate) fn draft(text: &str) -> Draft {
    Draft { data: text.to_owned().into(), ..Draft::default() }
}

pub(crate) fn with_attributes(text: &str, attributes: &[(&str, &str)]) -> Draft {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Draft { attributes, ..draft(text) }
}

/// Texts in the order they came.
pub(crate) fn texts(received: &[Received]) -> Vec<String> {
    received.iter().map(Received::text).collect()
}

/// Texts, sorted: without ordering, none is promised.
pub(crate) fn sorted(received: &[Received]) -> Vec<String> {
    let mut texts = texts(received);
    texts.sort();
    texts
}

fn ack_ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.ack_id.clone()).collect()
}

/// The code of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> Code {
    answer.expect_err("it is accepted").code
}
