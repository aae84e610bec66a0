//! Invariant 2: one invoice per order, one shipment per order line, one refund per return, however often events come.

use std::collections::BTreeMap;

use events::Fact;
use events::billing::{InvoiceIssued, RefundIssued};
use events::fulfillment::ShipmentDispatched;
use store::{StoreError, Tx};

use crate::evidence::Evidence;
use crate::invariant::Invariant;

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
    deferred_minor: i64,
    recognized_minor: i64,
    refunded_minor: i64,
    /// The sum of its credit notes, in cents.
    credited_minor: i64,
}

/// Reads accounting's invoices.
///
/// # Errors
/// Of the database.
pub fn of_accounting(tx: &mut Tx<'_>) -> Result<Vec<Invoice>, StoreError> {
    let sql = "SELECT order_id, status, total_minor, deferred_minor, recognized_minor, refunded_minor,
            COALESCE((SELECT SUM(amount_minor) FROM credit_notes n WHERE n.order_id = i.order_id), 0)
        FROM invoices i ORDER BY order_id";
    tx.query(sql, &[], |row| {
        Ok(Invoice {
            order_id: row.get(0)?,
            status: row.get(1)?,
            total_minor: row.get(2)?,
            deferred_minor: row.get(3)?,
            recognized_minor: row.get(4)?,
            refunded_minor: row.get(5)?,
            credited_minor: row.get(6)?,
        })
    })
}

pub(crate) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant =
        Invariant::new(2, "one invoice per order, one shipment per order line, one refund per cancellation or return");
    at_most_one_said(evidence, &mut invariant);
    for invoice in &evidence.once.accounting {
        settled(evidence, invoice, &mut invariant);
    }
    shipped_as_held(evidence, &mut invariant);
    invariant
}

/// What an ended order's invoice must have come to.
fn settled(evidence: &Evidence, invoice: &Invoice, invariant: &mut Invariant) {
    let Invoice { order_id, status, total_minor, deferred_minor, recognized_minor, refunded_minor, credited_minor } =
        invoice;
    let ended = evidence.statuses.get(order_id).map_or("", String::as_str);
    // What arrived is earned; what never arrived was paid back and is not.
    let all_earned = status == "issued" && *deferred_minor == 0 && recognized_minor + refunded_minor >= *total_minor;
    let is_earned = !matches!(ended, "completed" | "returned") || all_earned;
    invariant.check_of(&format!("order {order_id} earned"), is_earned, || {
        format!(
            "order {order_id} is {ended}, {recognized_minor} of {total_minor} cents earned, {refunded_minor} refunded"
        )
    });
    let is_taken_back = ended != "cancelled" || status != "issued";
    invariant.check_of(&format!("order {order_id} cancelled"), is_taken_back, || {
        format!("order {order_id} is cancelled and its invoice stands, {refunded_minor} cents refunded")
    });
    let is_refunded = credited_minor == refunded_minor && refunded_minor <= total_minor;
    invariant.check_of(&format!("order {order_id} refunded"), is_refunded, || {
        format!(
            "order {order_id}: {refunded_minor} of {total_minor} cents refunded, credit notes over {credited_minor}"
        )
    });
}

/// An invoice is said once for an order, each attempt of a shipment once, and each refund once.
fn at_most_one_said(evidence: &Evidence, invariant: &mut Invariant) {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for said in evidence.facts() {
        if [InvoiceIssued::TYPE, RefundIssued::TYPE, ShipmentDispatched::TYPE].contains(&said.event_type.as_str()) {
            *counts.entry((said.order_id(), &said.event_type, &said.part)).or_default() += 1;
        }
    }
    for ((order_id, event_type, part), count) in counts {
        let key = format!("order {order_id} {event_type} {part}");
        invariant.check_of(&key, count == 1, || {
            format!("{event_type} of order {order_id} was said {count} times for {part:?}")
        });
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
            if evidence.statuses.get(order_id).is_some_and(|status| matches!(status.as_str(), "completed" | "returned"))
            {
                let same = shipped.get(&(order_id, ledger.service)).is_some_and(|lines| *lines == units);
                let service = ledger.service;
                invariant.check(same, || format!("order {order_id}: what {service} held is not what was shipped"));
            }
        }
    }
}
