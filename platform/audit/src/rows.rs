//! Invariant 7: the rows in the warehouse, each event once, are the events said.

use std::collections::BTreeSet;

use events::envelope::SOURCE_PREFIX;
use events::topology::Topic;

use crate::evidence::Evidence;
use crate::invariant::Invariant;

pub(super) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant = Invariant::new(7, "every event said is a row in the warehouse, and every row is an event said");
    // A shop without a warehouse of its own: its rows are in BigQuery.
    let Some(rows) = &evidence.rows else { return invariant };
    let mut known = BTreeSet::new();
    for said in evidence.said.iter().filter(|said| Topic::ALL.iter().any(|topic| topic.name() == said.topic)) {
        let key = (format!("{SOURCE_PREFIX}{}", said.service), said.event_id.clone());
        // Rows older than what services keep are not among those given.
        let given = said.said_at_ms >= evidence.kept_from_ms;
        invariant.check(!given || rows.contains(&key), || {
            format!("{} of {}, said by {}, is no row in the warehouse", said.event_type, said.subject, said.service)
        });
        known.insert(key);
    }
    for (source, id) in rows {
        let was_said = known.contains(&(source.clone(), id.clone()));
        invariant.check(was_said, || format!("the warehouse has event {id} of {source}, which nobody said"));
    }
    invariant
}
