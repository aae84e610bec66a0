//! A topic: where published messages fan out to subscriptions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use google_cloud_googleapis::pubsub::v1 as pb;

use crate::log::{Destination, Published, Stored};
use crate::message::MessageView;
use crate::schema::Guard;
use crate::subscription::Subscription;
use crate::sync::{read, write};
use crate::terms::millis;

/// A topic, alive or deleted.
pub(crate) struct Topic {
    pub(crate) number: u32,
    pub(crate) name: String,
    config: RwLock<pb::Topic>,
    open: AtomicBool,
    /// What its messages are held to, if anything.
    guard: RwLock<Option<Arc<Guard>>>,
    subscriptions: RwLock<Vec<Arc<Subscription>>>,
}

impl Topic {
    pub(crate) fn new(number: u32, config: pb::Topic) -> Topic {
        Topic {
            number,
            name: config.name.clone(),
            config: RwLock::new(config),
            open: AtomicBool::new(true),
            guard: RwLock::default(),
            subscriptions: RwLock::default(),
        }
    }

    /// What its messages are held to.
    pub(crate) fn guard(&self) -> Option<Arc<Guard>> {
        read(&self.guard).clone()
    }

    pub(crate) fn set_guard(&self, guard: Option<Guard>) {
        *write(&self.guard) = guard.map(Arc::new);
    }

    /// A topic that was deleted and of which only the number is known.
    pub(crate) fn deleted(number: u32) -> Topic {
        let topic = Topic::new(number, pb::Topic::default());
        topic.close();
        topic
    }

    /// Its configuration, with the schema as it is now.
    pub(crate) fn config(&self) -> pb::Topic {
        pb::Topic { schema_settings: self.guard().map(|guard| guard.settings()), ..read(&self.config).clone() }
    }

    pub(crate) fn set_config(&self, config: pb::Topic) {
        *write(&self.config) = config;
    }

    /// How long every message is retained, acked or not.
    pub(crate) fn retention_ms(&self) -> u64 {
        read(&self.config).message_retention_duration.as_ref().map_or(0, millis)
    }

    /// Takes no messages from now on.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub(crate) fn attach(&self, subscription: Arc<Subscription>) {
        write(&self.subscriptions).push(subscription);
    }

    pub(crate) fn detach(&self, number: u32) {
        write(&self.subscriptions).retain(|s| s.number != number);
    }

    pub(crate) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        read(&self.subscriptions).clone()
    }
}

impl Destination for Topic {
    fn number(&self) -> u32 {
        self.number
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    fn receive(&self, messages: &[Published]) {
        let subscriptions = read(&self.subscriptions);
        let attributes: Vec<_> = if subscriptions.iter().any(|s| s.filter.is_some()) {
            messages.iter().map(|m| MessageView::of_stored(&m.payload).attributes).collect()
        } else {
            Vec::new()
        };
        for subscription in subscriptions.iter() {
            let passing: Vec<Arc<Stored>> = messages
                .iter()
                .enumerate()
                .filter(|(i, _)| subscription.filter.as_ref().is_none_or(|f| f.matches(&attributes[*i])))
                .map(|(_, m)| Arc::clone(&m.stored))
                .collect();
            subscription.receive(passing);
        }
    }
}
