//! When a message is given up, and what its dead letter says.

/// A subscription's dead-letter policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPolicy {
    /// Full name of the dead-letter topic.
    pub topic: String,
    /// Deliveries after which the next failure makes a dead letter. 5..=100.
    pub max_attempts: u16,
}

impl DeadLetterPolicy {
    /// Whether a message that failed this often is given up.
    pub fn is_exhausted(&self, attempts: u16) -> bool {
        attempts >= self.max_attempts
    }
}

/// The attributes the service adds to a dead letter, in its spelling. `subscription` is a full name; `published` is the time of the
/// first publish in RFC 3339 with `+00:00`.
pub fn source_attributes(subscription: &str, attempts: u16, published: String) -> [(&'static str, String); 4] {
    let part = |at: usize| subscription.split('/').nth(at).unwrap_or(subscription).to_owned();
    [
        ("CloudPubSubDeadLetterSourceSubscription", part(3)),
        ("CloudPubSubDeadLetterSourceSubscriptionProject", part(1)),
        ("CloudPubSubDeadLetterSourceDeliveryCount", attempts.to_string()),
        ("CloudPubSubDeadLetterSourceTopicPublishTime", published),
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
        let said =
            source_attributes("projects/p/subscriptions/orders.oms", 5, "2021-02-26T19:23:55.749+00:00".to_owned());
        assert_eq!(
            said.map(|(_, value)| value),
            ["orders.oms", "p", "5", "2021-02-26T19:23:55.749+00:00"].map(str::to_owned)
        );
    }
}
