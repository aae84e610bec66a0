//! Invariant 2: one invoice per order, one shipment per order line, one refund per return, however often events come.

use std::collections::BTreeMap;

use events::Fact;
use events::billing::{InvoiceIssued, RefundIssued};
use events::fulfillment::ShipmentDispatched;
use store::{StoreError, Tx};

use super::Invariant;
use super::evidence::Evidence;

/// What could have happened twice.
#[derive(Default)]
pub struct Found {
    /// Every invoice.
    pub accounting: Vec<Invoice>,
}

/// An order's row in accounting.
pub struct Invoice {
    order_id: String,
    status: String,
    total_minor: i64,
    recognized_minor: i64,
    refunded_minor: i64,
}

/// Reads accounting's invoices.
///
/// # Errors
/// Of the database.
pub fn of_accounting(tx: &mut Tx<'_>) -> Result<Vec<Invoice>, StoreError> {
    let sql = "SELECT order_id, status, total_minor, recognized_minor, refunded_minor FROM invoices ORDER BY order_id";
    tx.query(sql, &[], |row| {
        let (total_minor, recognized_minor, refunded_minor) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(Invoice { order_id: row.get(0)?, status: row.get(1)?, total_minor, recognized_minor, refunded_minor })
    })
}

pub(super) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant =
        Invariant::new(2, "one invoice per order, one shipment per order line, one refund per cancellation or return");
    at_most_one_said(evidence, &mut invariant);
    for Invoice { order_id, status, total_minor, recognized_minor, refunded_minor } in &evidence.once.accounting {
        let ended = evidence.statuses.get(order_id).map_or("", String::as_str);
        let earned = ended != "completed" || (status == "issued" && recognized_minor == total_minor);
        invariant.check(earned, || {
            format!("order {order_id} is completed, {recognized_minor} of {total_minor} cents earned")
        });
        let reversed = ended != "cancelled" || status != "issued";
        invariant.check(reversed, || {
            format!("order {order_id} is cancelled and its invoice stands, {refunded_minor} cents refunded")
        });
    }
    shipped_as_held(evidence, &mut invariant);
    invariant
}

/// An invoice, and a dispatch per ledger, are said once for an order; a refund once per event that asked for it.
fn at_most_one_said(evidence: &Evidence, invariant: &mut Invariant) {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for said in &evidence.said {
        if [InvoiceIssued::TYPE, RefundIssued::TYPE, ShipmentDispatched::TYPE].contains(&said.event_type.as_str()) {
            let ledger = said.ledger.as_deref().unwrap_or_default();
            *counts.entry((said.order_id(), &said.event_type, ledger)).or_default() += 1;
        }
    }
    for ((order_id, event_type, _), count) in counts {
        // Refunds of several returns are several; one cancellation makes one.
        let fair = count == 1 || event_type == RefundIssued::TYPE && !is_cancelled(evidence, order_id);
        invariant.check(fair, || format!("{event_type} of order {order_id} was said {count} times"));
    }
}

/// A completed order's shipments hold exactly the units its holds held.
fn shipped_as_held(evidence: &Evidence, invariant: &mut Invariant) {
    let mut shipped: BTreeMap<(&str, &str), BTreeMap<&str, u32>> = BTreeMap::new();
    for shipment in evidence.shipping.shipments.iter().filter(|shipment| shipment.left) {
        let lines = shipped.entry((&shipment.order_id, &shipment.ledger)).or_default();
        for line in &shipment.lines {
            *lines.entry(line.product_id.as_str()).or_default() += line.quantity;
        }
    }
    for ledger in &evidence.stock {
        for (order_id, units) in ledger.units_by_order() {
            if evidence.statuses.get(order_id).is_some_and(|status| status == "completed") {
                let same = shipped.get(&(order_id, ledger.service)).is_some_and(|lines| *lines == units);
                let service = ledger.service;
                invariant.check(same, || format!("order {order_id}: what {service} held is not what was shipped"));
            }
        }
    }
}

fn is_cancelled(evidence: &Evidence, order_id: &str) -> bool {
    evidence.statuses.get(order_id).is_some_and(|status| status == "cancelled")
}
