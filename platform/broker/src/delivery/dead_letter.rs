//! When a message is given up, and what its dead letter says.

use crate::message::rfc3339;
use crate::names;

/// A subscription's dead-letter policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetterPolicy {
    /// Full name of the dead-letter topic.
    pub(crate) topic: String,
    /// Deliveries after which the next failure makes a dead letter. 5..=100.
    pub(crate) max_attempts: u16,
}

impl DeadLetterPolicy {
    /// Whether a message that failed this often is given up.
    pub(crate) fn is_exhausted(&self, attempts: u16) -> bool {
        attempts >= self.max_attempts
    }
}

/// The attributes the service adds to a dead letter, in its spelling.
pub(crate) fn source_attributes(subscription: &str, attempts: u16, publish_ms: u64) -> [(&'static str, String); 4] {
    [
        ("CloudPubSubDeadLetterSourceSubscription", names::id(subscription).to_owned()),
        ("CloudPubSubDeadLetterSourceSubscriptionProject", names::project_of(subscription).to_owned()),
        ("CloudPubSubDeadLetterSourceDeliveryCount", attempts.to_string()),
        ("CloudPubSubDeadLetterSourceTopicPublishTime", rfc3339(publish_ms, "+00:00")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_given_up_at_the_last_attempt_and_says_where_it_was() {
        let policy = DeadLetterPolicy { topic: "projects/p/topics/dead".to_owned(), max_attempts: 5 };
        assert!(!policy.is_exhausted(4));
        assert!(policy.is_exhausted(5));
        let said = source_attributes("projects/p/subscriptions/orders.oms", 5, 1_614_367_435_749);
        assert_eq!(
            said.map(|(_, value)| value),
            ["orders.oms", "p", "5", "2021-02-26T19:23:55.749+00:00"].map(str::to_owned)
        );
    }
}
