//! Topics: create, delete, list.

use super::check::{self, DELETED_TOPIC, page};
use super::refusal::Refusal;
use super::{Page, SimulatedPubSub};

impl SimulatedPubSub {
    /// Makes a topic.
    ///
    /// # Errors
    /// A bad name, or one that is taken.
    pub fn create_topic(&mut self, name: &str) -> Result<(), Refusal> {
        check::name(name, "topics")?;
        if self.topics.contains(name) {
            return Err(Refusal::already_exists(name));
        }
        self.topics.insert(name.to_owned());
        Ok(())
    }

    /// Deletes a topic. Its subscriptions stay and give out what they have.
    ///
    /// # Errors
    /// No such topic.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), Refusal> {
        check::name(name, "topics")?;
        if !self.topics.remove(name) {
            return Err(Refusal::not_found(name));
        }
        for subscription in self.subscriptions.values_mut().filter(|s| s.spec.topic == name) {
            DELETED_TOPIC.clone_into(&mut subscription.spec.topic);
        }
        Ok(())
    }

    /// Names of a project's topics, sorted; `project` as in `projects/p`.
    ///
    /// # Errors
    /// A negative page size.
    pub fn list_topics(&self, project: &str, page_size: i32, page_token: &str) -> Result<Page, Refusal> {
        let prefix = format!("{project}/");
        page(self.topics.iter().filter(|name| name.starts_with(&prefix)), page_size, page_token)
    }

    /// Names of a topic's subscriptions, sorted.
    ///
    /// # Errors
    /// No such topic, or a negative page size.
    pub fn list_topic_subscriptions(&self, topic: &str, page_size: i32, page_token: &str) -> Result<Page, Refusal> {
        check::name(topic, "topics")?;
        self.topic(topic)?;
        let of_topic = self.subscriptions.iter().filter(|(_, s)| s.spec.topic == topic && !s.spec.detached);
        page(of_topic.map(|(name, _)| name), page_size, page_token)
    }

    pub(super) fn topic(&self, name: &str) -> Result<(), Refusal> {
        if self.topics.contains(name) { Ok(()) } else { Err(Refusal::not_found(name)) }
    }
}
