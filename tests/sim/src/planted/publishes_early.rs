//! Publishes what a transaction says before it is committed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use bus::Outgoing;
use store::{Tx, params};

use crate::hooks::Hooks;
use crate::world::{World, locked};

const JUST_SAID: &str =
    "SELECT topic, attributes, data, event_id FROM outbox WHERE sent_at_ms IS NULL AND created_at_ms = ?1";

/// Does it in every service, once for each event.
#[derive(Default)]
pub(super) struct PublishesEarly(Mutex<BTreeSet<String>>);

impl Hooks for PublishesEarly {
    fn before_commit(&self, world: &World, service: &'static str, tx: &mut Tx<'_>, keeps: bool) {
        if !keeps {
            return;
        }
        let now_ms = tx.now_ms();
        let rows = tx.query(JUST_SAID, params![now_ms], |row| {
            Ok((row.get_text(0)?, row.get_text(1)?, row.get_text(2)?, row.get_text(3)?))
        });
        for (topic, attributes, data, event_id) in rows.expect("the outbox can be read") {
            if !locked(&self.0).insert(event_id) {
                continue;
            }
            let attributes = serde_json::from_str(&attributes).expect("attributes are a map of strings");
            let outgoing = Outgoing { topic, ordering_key: String::new(), attributes, data: data.into_bytes().into() };
            // Refused or not, the outbox sends it again.
            let _ = world.publish(service, outgoing);
        }
    }
}
