//! Subscriptions: create, show, change, delete, list, detach.

use std::collections::BTreeMap;

use delivery::{PUSH, RetryPolicy};

use super::check::{self, DELETED_TOPIC, page};
use super::refusal::Refusal;
use super::spec::SubscriptionSpec;
use super::subscription::Subscription;
use super::{Page, SimulatedPubSub};

impl SimulatedPubSub {
    /// Makes a subscription, which gets what is published from now on. Gives it with the defaults filled in.
    ///
    /// # Errors
    /// A limit that is broken, a name that is taken, a topic that is missing.
    pub fn create_subscription(&mut self, mut spec: SubscriptionSpec) -> Result<SubscriptionSpec, Refusal> {
        check::name(&spec.topic, "topics")?;
        check::subscription(&mut spec)?;
        if self.subscriptions.contains_key(&spec.name) {
            return Err(Refusal::already_exists(&spec.name));
        }
        self.topic(&spec.topic)?;
        if let Some(policy) = &spec.dead_letter {
            self.topic(&policy.topic)?;
        }
        self.last_number += 1;
        self.subscriptions.insert(spec.name.clone(), Subscription::new(self.last_number, spec.clone()));
        Ok(spec)
    }

    /// A subscription as it is now.
    ///
    /// # Errors
    /// No such subscription.
    pub fn get_subscription(&self, name: &str) -> Result<SubscriptionSpec, Refusal> {
        check::name(name, "subscriptions")?;
        self.subscriptions.get(name).map(|s| s.spec.clone()).ok_or_else(|| Refusal::not_found(name))
    }

    /// Changes the fields named in `mask`, in the service's spelling (`ack_deadline_seconds`). Gives it as it is now.
    ///
    /// # Errors
    /// An empty mask, a field that does not exist or cannot change, a limit that is broken, no such subscription.
    pub fn update_subscription(
        &mut self,
        wanted: &SubscriptionSpec,
        mask: &[&str],
    ) -> Result<SubscriptionSpec, Refusal> {
        let mut spec = self.get_subscription(&wanted.name)?;
        if mask.is_empty() {
            return Err(Refusal::invalid("the update mask is empty"));
        }
        for field in mask {
            match *field {
                "ack_deadline_seconds" => spec.ack_deadline_s = wanted.ack_deadline_s,
                "push_config" => spec.push_endpoint.clone_from(&wanted.push_endpoint),
                "retain_acked_messages" => spec.retain_acked = wanted.retain_acked,
                "message_retention_duration" => spec.retention_s = wanted.retention_s,
                "labels" => spec.labels.clone_from(&wanted.labels),
                "retry_policy" => spec.retry = wanted.retry,
                "dead_letter_policy" => spec.dead_letter.clone_from(&wanted.dead_letter),
                other => return Err(Refusal::invalid(format!("{other} does not exist or cannot change"))),
            }
        }
        check::subscription(&mut spec)?;
        if let Some(policy) = &spec.dead_letter {
            self.topic(&policy.topic)?;
        }
        let subscription = self.subscription(&wanted.name)?;
        subscription.backlog.set_policy(RetryPolicy(spec.retry), spec.dead_letter.clone());
        let moved = subscription.spec.push_endpoint != spec.push_endpoint;
        subscription.spec = spec.clone();
        if moved {
            self.push_anew(&wanted.name);
        }
        Ok(spec)
    }

    /// Pushes elsewhere; an empty endpoint means pull.
    ///
    /// # Errors
    /// A bad endpoint, or no such subscription.
    pub fn modify_push_config(&mut self, name: &str, endpoint: &str) -> Result<(), Refusal> {
        check::endpoint(endpoint)?;
        endpoint.clone_into(&mut self.subscription(name)?.spec.push_endpoint);
        self.push_anew(name);
        Ok(())
    }

    /// Deletes a subscription with its backlog.
    ///
    /// # Errors
    /// No such subscription.
    pub fn delete_subscription(&mut self, name: &str) -> Result<(), Refusal> {
        check::name(name, "subscriptions")?;
        let gone = self.subscriptions.remove(name).ok_or_else(|| Refusal::not_found(name))?;
        self.forget_pushes(gone.number);
        Ok(())
    }

    /// Cuts a subscription off its topic for good and drops its backlog.
    ///
    /// # Errors
    /// No such subscription.
    pub fn detach_subscription(&mut self, name: &str) -> Result<(), Refusal> {
        let subscription = self.subscription(name)?;
        subscription.spec.detached = true;
        subscription.acked.clear();
        subscription.owe(BTreeMap::new());
        self.push_anew(name);
        Ok(())
    }

    /// Names of a project's subscriptions, sorted; `project` as in `projects/p`.
    ///
    /// # Errors
    /// A negative page size.
    pub fn list_subscriptions(&self, project: &str, page_size: i32, page_token: &str) -> Result<Page, Refusal> {
        let prefix = format!("{project}/");
        page(self.subscriptions.keys().filter(|name| name.starts_with(&prefix)), page_size, page_token)
    }

    pub(super) fn subscription(&mut self, name: &str) -> Result<&mut Subscription, Refusal> {
        check::name(name, "subscriptions")?;
        self.subscriptions.get_mut(name).ok_or_else(|| Refusal::not_found(name))
    }

    /// Whether acked messages of a topic are kept because a snapshot may want them.
    pub(super) fn keeps_acked(&self, topic: &str) -> bool {
        topic != DELETED_TOPIC && self.snapshots.values().any(|snapshot| snapshot.topic == topic)
    }

    /// Takes back what is in flight and pushes to where the subscription now points.
    fn push_anew(&mut self, name: &str) {
        let now_ms = self.now_ms;
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        subscription.backlog.abandon(PUSH, now_ms);
        subscription.start_anew();
        let number = subscription.number;
        self.forget_pushes(number);
        self.pass(name);
    }
}
