//! Claims the inbox outside the transaction of the effect.

use std::collections::BTreeMap;
use std::sync::Mutex;

use store::{Tx, params};

use crate::hooks::Hooks;
use crate::world::{World, locked};

const NEWEST: &str = "SELECT consumer, source, id, event_type, subject FROM inbox ORDER BY seq DESC LIMIT 1";
const CLAIM: &str = "INSERT INTO inbox (consumer, source, id, event_type, subject, handled_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// The claim of the transaction that has just run, by service.
#[derive(Default)]
pub(super) struct ClaimsOutside(Mutex<BTreeMap<&'static str, Vec<String>>>);

impl Hooks for ClaimsOutside {
    fn before_commit(&self, _: &World, service: &'static str, tx: &mut Tx<'_>, _: bool) {
        let newest = tx.query_opt(NEWEST, &[], |row| (0..5).map(|at| row.get_text(at)).collect());
        if let Ok(Some(claim)) = newest {
            locked(&self.0).insert(service, claim);
        }
    }

    fn undone(&self, service: &'static str, tx: &mut Tx<'_>) {
        if let Some(claim) = locked(&self.0).remove(service) {
            let now_ms = tx.now_ms();
            let values = params![&claim[0], &claim[1], &claim[2], &claim[3], &claim[4], now_ms];
            tx.execute(CLAIM, values).expect("a claim is a row like any");
        }
    }
}
