//! Releases a cancelled order's hold without its first line.

use std::collections::BTreeSet;
use std::sync::Mutex;

use events::order::OrderCancelled;
use events::{Fact, StockLine};
use store::{Tx, params};

use crate::hooks::Hooks;
use crate::world::{World, locked};

const NEWEST: &str = "SELECT event_type, subject FROM inbox ORDER BY seq DESC LIMIT 1";
const RELEASED: &str = "SELECT lines FROM holds WHERE order_id = ?1 AND status = 'released'";
const RESERVE: &str = "UPDATE stock SET reserved = reserved + ?1 WHERE product_id = ?2";

/// Orders it was done to, by ledger.
#[derive(Default)]
pub(super) struct ForgetsALine(Mutex<BTreeSet<(&'static str, String)>>);

impl Hooks for ForgetsALine {
    fn before_commit(&self, _: &World, service: &'static str, tx: &mut Tx<'_>, keeps: bool) {
        if !keeps || !["inventory", "furniture"].contains(&service) {
            return;
        }
        let newest = tx.query_opt(NEWEST, &[], |row| Ok((row.get_text(0)?, row.get_text(1)?)));
        let Some((event_type, subject)) = newest.expect("the inbox can be read") else { return };
        if event_type != OrderCancelled::TYPE || !locked(&self.0).insert((service, subject.clone())) {
            return;
        }
        let order_id = subject.trim_start_matches("orders/");
        let holds = tx.query(RELEASED, params![order_id], |row| row.get_text(0)).expect("holds can be read");
        for lines in holds {
            let lines: Vec<StockLine> = serde_json::from_str(&lines).expect("a hold has lines");
            if let [first, _, ..] = lines.as_slice() {
                let values = params![i64::from(first.quantity), first.product_id.as_str()];
                tx.execute(RESERVE, values).expect("the units were free a moment ago");
            }
        }
    }
}
