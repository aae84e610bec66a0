//! Who has to hear one very event: the topology's listeners, less those its subscriptions' filters keep it from.

use events::topology::EVENTS;

/// The consumers that react to an event of `event_type` said on `topic` with these filter values.
pub fn of(event_type: &str, topic: &str, ledger: Option<&str>, risk: Option<&str>) -> Vec<&'static str> {
    let Some(row) = EVENTS.iter().find(|row| row.event_type == event_type && row.topic.name() == topic) else {
        return Vec::new();
    };
    let concerned = |consumer: &&&str| match **consumer {
        "inventory" | "furniture" => ledger.is_none_or(|ledger| ledger == **consumer),
        "fraud-bridge" => risk.is_none_or(|risk| risk == "UNKNOWN"),
        _ => true,
    };
    row.heard_by.iter().filter(concerned).copied().collect()
}
