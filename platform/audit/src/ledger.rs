//! Invariant 4: debits equal credits for every transaction and in total; nothing is changed, only added.

use store::{StoreError, Tx};

use crate::evidence::Evidence;
use crate::invariant::Invariant;

/// The general ledger.
#[derive(Default)]
pub struct Found {
    transactions: Vec<Transaction>,
    /// Debits and credits of all entries, in cents.
    totals: (i64, i64),
    /// Per account: debits less credits, in cents.
    deferred_left_minor: i64,
    /// What the invoices say is invoiced and not earned yet, in cents.
    deferred_by_invoices_minor: i64,
}

struct Transaction {
    transaction_id: String,
    debit_minor: i64,
    credit_minor: i64,
}

/// Reads the ledger.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut Tx<'_>) -> Result<Found, StoreError> {
    // Starts from both sides, so that a transaction without entries and entries without a transaction are seen.
    let sql = "SELECT e.transaction_id,
            SUM(CASE WHEN e.side = 'debit' THEN e.amount_minor ELSE 0 END),
            SUM(CASE WHEN e.side = 'credit' THEN e.amount_minor ELSE 0 END)
        FROM ledger_entries e GROUP BY e.transaction_id ORDER BY e.transaction_id";
    let transactions = tx.query(sql, &[], |row| {
        Ok(Transaction { transaction_id: row.get(0)?, debit_minor: row.get(1)?, credit_minor: row.get(2)? })
    })?;
    let totals = "SELECT COALESCE(SUM(CASE WHEN side = 'debit' THEN amount_minor ELSE 0 END), 0),
            COALESCE(SUM(CASE WHEN side = 'credit' THEN amount_minor ELSE 0 END), 0),
            COALESCE(SUM(CASE WHEN account <> 'deferred_revenue' THEN 0
                              WHEN side = 'credit' THEN amount_minor ELSE -amount_minor END), 0)
        FROM ledger_entries";
    let totals = tx.query(totals, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let deferred = "SELECT COALESCE(SUM(deferred_minor), 0) FROM invoices WHERE status = 'issued'";
    let deferred = tx.query(deferred, &[], |row| row.get(0))?;
    let (debits, credits, deferred_left_minor) = totals.first().copied().unwrap_or_default();
    let deferred_by_invoices_minor = deferred.first().copied().unwrap_or_default();
    Ok(Found { transactions, totals: (debits, credits), deferred_left_minor, deferred_by_invoices_minor })
}

pub(crate) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant =
        Invariant::new(4, "debits equal credits for every transaction and in total, and agree with the invoices");
    let ledger = &evidence.ledger;
    for Transaction { transaction_id, debit_minor, credit_minor } in &ledger.transactions {
        invariant.check_of(transaction_id, debit_minor == credit_minor, || {
            format!("transaction {transaction_id}: {debit_minor} debited, {credit_minor} credited")
        });
    }
    let (debits, credits) = ledger.totals;
    invariant.check_of("totals", debits == credits, || format!("in total {debits} debited, {credits} credited"));
    let (left, wanted) = (ledger.deferred_left_minor, ledger.deferred_by_invoices_minor);
    invariant.check_of("deferred", left == wanted, || format!("{left} cents are deferred, the invoices say {wanted}"));
    invariant
}
