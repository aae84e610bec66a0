//! The figures of all subscriptions in Prometheus' text format.

use std::fmt::Write;

use crate::stats::{Stats, SubscriptionStats};

type Figure = (&'static str, &'static str, &'static str, fn(&SubscriptionStats) -> u64);

const FIGURES: [Figure; 6] = [
    ("backlog_messages", "gauge", "Messages not acked, those with a subscriber included", |s| s.backlog),
    ("oldest_unacked_age_seconds", "gauge", "Age of the oldest message not acked", |s| s.oldest_unacked_age_seconds),
    ("deliveries_total", "counter", "Deliveries, repeated ones included", |s| s.delivered),
    ("acks_total", "counter", "Messages acked", |s| s.acked),
    ("nacks_total", "counter", "Deliveries that were refused or whose deadline passed", |s| s.nacked),
    ("dead_letters_total", "counter", "Messages forwarded to the dead-letter topic", |s| s.dead_lettered),
];

/// What `GET /metrics` answers.
pub(crate) fn text(stats: &Stats) -> String {
    let mut out = String::new();
    for (name, kind, help, value) in FIGURES {
        let name = format!("pubsub_subscription_{name}");
        let _ = writeln!(out, "# HELP {name} {help}.\n# TYPE {name} {kind}");
        for subscription in &stats.subscriptions {
            // Names are checked at creation: nothing in them needs an escape.
            let _ = writeln!(out, "{name}{{subscription=\"{}\"}} {}", subscription.name, value(subscription));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_help_its_type_and_a_line_per_subscription() {
        let subscription = SubscriptionStats {
            name: "projects/p/subscriptions/s".to_owned(),
            topic: "projects/p/topics/t".to_owned(),
            backlog: 1,
            oldest_unacked_age_seconds: 2,
            delivered: 3,
            acked: 4,
            nacked: 5,
            dead_lettered: 6,
        };
        let text = text(&Stats { subscriptions: vec![subscription] });
        let values: Vec<&str> =
            text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split(' ').nth(1)).collect();
        assert_eq!(values, ["1", "2", "3", "4", "5", "6"]);
        assert!(text.contains("# TYPE pubsub_subscription_nacks_total counter\n"));
        assert!(text.contains("pubsub_subscription_nacks_total{subscription=\"projects/p/subscriptions/s\"} 5\n"));
    }
}
