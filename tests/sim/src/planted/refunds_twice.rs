//! Gives money back once per delivery instead of once per cancellation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use events::Fact;
use events::billing::RefundIssued;
use events::id::derived;
use events::order::OrderCancelled;
use events::pubsub::Message;
use store::{Tx, params};

use crate::hooks::Hooks;
use crate::world::{World, locked};

const AGAIN: &str = "INSERT INTO outbox (topic, key, attributes, data, event_id, event_type, subject, created_at_ms)
    SELECT topic, key, replace(attributes, event_id, ?3), data, ?3, event_type, subject, ?4
    FROM outbox WHERE subject = ?1 AND event_type = ?2 LIMIT 1 ON CONFLICT DO NOTHING";

/// What accounting heard.
#[derive(Default)]
pub(super) struct RefundsTwice {
    /// Deliveries of each cancellation, by subject.
    heard: Mutex<BTreeMap<String, u32>>,
    /// Cancellations that came again and were not paid again yet.
    owed: Mutex<BTreeSet<String>>,
}

impl Hooks for RefundsTwice {
    fn pushed(&self, _: &World, consumer: &'static str, message: &Message) -> Option<u16> {
        let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
        if consumer == "accounting" && attribute("ce-type") == OrderCancelled::TYPE {
            let subject = attribute("ce-subject");
            let mut heard = locked(&self.heard);
            let times = heard.entry(subject.clone()).or_default();
            *times += 1;
            if *times > 1 {
                locked(&self.owed).insert(subject);
            }
        }
        None
    }

    fn before_commit(&self, _: &World, service: &'static str, tx: &mut Tx<'_>, keeps: bool) {
        if service != "accounting" || !keeps {
            return;
        }
        let now_ms = tx.now_ms();
        for subject in std::mem::take(&mut *locked(&self.owed)) {
            let event_id = derived("planted", &subject).to_string();
            let values = params![&subject, RefundIssued::TYPE, &event_id, now_ms];
            tx.execute(AGAIN, values).expect("a refund is a row like any");
        }
    }
}
