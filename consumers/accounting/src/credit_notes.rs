//! Credit notes in SQL: one per refund, each with a number of its own. Rows are added and read, never changed.

use events::id::derived;
use events::{InvoiceId, OrderId, RefundId};
use store::{StoreError, Tx, params};

/// Credit notes shown of one invoice. More than an order can have: each of its lines comes back or is lost once.
const MOST_SHOWN: u32 = 1_000;

const ADD: &str = "INSERT INTO credit_notes (refund_id, order_id, amount_minor, issued_at_ms) VALUES (?1, ?2, ?3, ?4)";
const OF_ORDER: &str = "SELECT number, refund_id, amount_minor, issued_at_ms FROM credit_notes
    WHERE order_id = ?1 ORDER BY number LIMIT ?2";

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreditNote {
    /// Ascending in the order of issue, never used twice; on PostgreSQL a refund that failed leaves a gap.
    pub(crate) number: i64,
    pub(crate) refund_id: RefundId,
    /// Hundredths.
    pub(crate) amount_minor: i64,
    /// Milliseconds since the Unix epoch.
    pub(crate) issued_at_ms: i64,
}

/// The id of a refund's credit note.
pub(crate) fn credit_note_id(refund_id: &RefundId) -> InvoiceId {
    InvoiceId::from_uuid(derived("credit-note", refund_id.as_str()))
}

/// Issues a refund's credit note.
///
/// # Errors
/// [`StoreError::Constraint`] when the refund has one; any other of the database.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    order_id: &OrderId,
    refund_id: &RefundId,
    amount_minor: i64,
) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(ADD, params![refund_id.as_str(), order_id.as_str(), amount_minor, now_ms]).map(drop)
}

/// An order's credit notes, the first one first.
///
/// # Errors
/// Of the database.
pub(crate) fn of_order(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Vec<CreditNote>, StoreError> {
    tx.query(OF_ORDER, params![order_id.as_str(), MOST_SHOWN], |row| {
        let refund_id = row.get_text(1)?.try_into();
        Ok(CreditNote {
            number: row.get_i64(0)?,
            refund_id: refund_id
                .map_err(|_| StoreError::Row { reason: "a credit note's refund cannot be read".to_owned() })?,
            amount_minor: row.get_i64(2)?,
            issued_at_ms: row.get_i64(3)?,
        })
    })
}
